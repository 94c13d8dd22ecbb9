"""What tasks have in common that can be made together.

Revision: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("batch", sa.String(), server_default="", nullable=False))
    op.alter_column("tasks", "batch", server_default=None)
    op.add_column("attempts", sa.Column("batch", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("attempts", "batch")
    op.drop_column("tasks", "batch")
