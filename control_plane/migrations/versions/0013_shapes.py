"""What a task's duration depends on beside its model.

Revision: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("shape", sa.String(), server_default="", nullable=False))
    op.alter_column("tasks", "shape", server_default=None)


def downgrade() -> None:
    op.drop_column("tasks", "shape")
