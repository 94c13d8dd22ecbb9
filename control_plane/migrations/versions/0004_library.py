"""The asset library: categories, search, deletion; templates of configurations.

Revision: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("assets", sa.Column("category_id", sa.String(), nullable=True))
    op.add_column("assets", sa.Column("search_text", sa.String(), nullable=False, server_default=""))
    op.alter_column("assets", "search_text", server_default=None)
    # What ships is described anew when a server starts.
    op.execute("UPDATE assets SET search_text = lower(name || E'\\n' || description)")
    op.add_column("assets", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_assets_asset_type"), "assets", "asset_type IN ('character', 'style', 'voice', 'music')"
    )
    op.create_foreign_key(op.f("fk_assets_content_artifact_id"), "assets", "artifacts", ["content_artifact_id"], ["id"])
    op.create_foreign_key(
        op.f("fk_assets_thumbnail_artifact_id"), "assets", "artifacts", ["thumbnail_artifact_id"], ["id"]
    )
    op.drop_index(op.f("ix_assets_tenant_id"), table_name="assets")
    op.create_index("ix_assets_tenant_id", "assets", ["tenant_id", "asset_type", "created_at"], unique=False)
    op.create_table(
        "config_templates",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("template_name", sa.String(), nullable=False),
        sa.Column("config_data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("usage_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_config_templates")),
    )
    op.create_index(op.f("ix_config_templates_tenant_id"), "config_templates", ["tenant_id"], unique=False)
    op.create_index(
        "uq_config_templates_default",
        "config_templates",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )


def downgrade() -> None:
    op.drop_table("config_templates")
    op.drop_index("ix_assets_tenant_id", table_name="assets")
    op.create_index(op.f("ix_assets_tenant_id"), "assets", ["tenant_id"], unique=False)
    op.drop_constraint(op.f("fk_assets_thumbnail_artifact_id"), "assets", type_="foreignkey")
    op.drop_constraint(op.f("fk_assets_content_artifact_id"), "assets", type_="foreignkey")
    op.drop_constraint(op.f("ck_assets_asset_type"), "assets", type_="check")
    # Assets that were deleted come back: projects may still name them.
    op.drop_column("assets", "deleted_at")
    op.drop_column("assets", "search_text")
    op.drop_column("assets", "category_id")
