"""What the library shows of a preset is made when somebody asks for it.

Revision: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("assets", sa.Column("preview_asked_at", sa.DateTime(timezone=True), nullable=True))
    # Theirs were asked for when they were added.
    op.execute("UPDATE assets SET preview_asked_at = created_at WHERE is_preset")


def downgrade() -> None:
    op.drop_column("assets", "preview_asked_at")
