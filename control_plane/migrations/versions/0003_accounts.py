"""Pictures of users and teams are artifacts; password resets.

Revision: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "password_resets",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_password_resets_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_resets")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_resets_token_hash")),
    )
    op.create_index(op.f("ix_password_resets_user_id"), "password_resets", ["user_id"], unique=False)
    # Nothing ever set a URL there.
    op.drop_column("users", "avatar_url")
    op.add_column("users", sa.Column("avatar_artifact_id", sa.String(), nullable=True))
    op.create_foreign_key(
        op.f("fk_users_avatar_artifact_id_artifacts"), "users", "artifacts", ["avatar_artifact_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_teams_logo_artifact_id_artifacts"), "teams", "artifacts", ["logo_artifact_id"], ["id"]
    )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_teams_logo_artifact_id_artifacts"), "teams", type_="foreignkey")
    op.drop_constraint(op.f("fk_users_avatar_artifact_id_artifacts"), "users", type_="foreignkey")
    op.drop_column("users", "avatar_artifact_id")
    op.add_column("users", sa.Column("avatar_url", sa.String(), nullable=False, server_default=""))
    op.alter_column("users", "avatar_url", server_default=None)
    op.drop_table("password_resets")
