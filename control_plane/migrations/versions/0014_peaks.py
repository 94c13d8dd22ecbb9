"""What models were seen to take of their devices.

Revision: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempts", sa.Column("peak_gb", sa.Float(), nullable=True))


def downgrade() -> None:
    op.drop_column("attempts", "peak_gb")
