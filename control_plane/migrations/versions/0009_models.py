"""How files were made, and pictures that wait for reference sheets.

Revision: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("artifacts", sa.Column("provenance", postgresql.JSONB(none_as_null=True), nullable=True))
    op.add_column(
        "generation_steps", sa.Column("awaits_sheets", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.alter_column("generation_steps", "awaits_sheets", server_default=None)


def downgrade() -> None:
    op.drop_column("generation_steps", "awaits_sheets")
    op.drop_column("artifacts", "provenance")
