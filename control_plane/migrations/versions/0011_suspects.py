"""Workers that fail task after task, drains that end by themselves, and tasks that were set aside.

Revision: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("farm_workers", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("farm_workers", "failures", server_default=None)
    op.add_column("farm_workers", sa.Column("last_failure", sa.String(), nullable=True))
    op.add_column("farm_drains", sa.Column("until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_tasks_set_aside",
        "tasks",
        ["finished_at"],
        unique=False,
        postgresql_where=sa.text("(state = 'failed' AND outcome = 'task') OR quarantined_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_tasks_set_aside", table_name="tasks")
    op.drop_column("farm_drains", "until")
    op.drop_column("farm_workers", "last_failure")
    op.drop_column("farm_workers", "failures")
