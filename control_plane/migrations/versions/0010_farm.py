"""What the scheduler sees of the farm, and what the farm is ordered to do.

Revision: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "farm_nodes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("lost", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_farm_nodes")),
    )
    op.create_table(
        "farm_workers",
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("node_id", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=True),
        sa.Column("resident", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('busy', 'drained', 'draining', 'dying', 'idle', 'lost')", name=op.f("ck_farm_workers_state")
        ),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_farm_workers")),
    )
    op.create_table(
        "farm_drains",
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("ordered_by", sa.String(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_farm_drains")),
    )
    op.create_table(
        "farm_restarts",
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("at_once", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("ordered_by", sa.String(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_farm_restarts")),
    )
    op.create_index(op.f("ix_farm_restarts_slot"), "farm_restarts", ["slot"], unique=False)


def downgrade() -> None:
    op.drop_table("farm_restarts")
    op.drop_table("farm_drains")
    op.drop_table("farm_workers")
    op.drop_table("farm_nodes")
