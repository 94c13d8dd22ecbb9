"""Quota days are counted, the ledger is append-only and knows projects; batches of videos; export files that expire.

Revision: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SETTLED = sa.text("entry IN ('commit', 'refund')")
_ENTRY = (
    "(entry = 'reserve' AND amount >= 0) OR (entry = 'commit' AND amount = 0) OR (entry = 'refund' AND amount <= 0)"
)


def upgrade() -> None:
    # A date becomes the number of days since 2000: what belonged to one day still does.
    op.add_column("quota_accounts", sa.Column("next_time_zone", sa.String(), nullable=True))
    op.add_column("quota_accounts", sa.Column("resets_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE quota_accounts SET resets_at = (day + 1)::timestamp AT TIME ZONE time_zone")
    op.alter_column("quota_accounts", "resets_at", nullable=False)
    for table in ("quota_accounts", "quota_ledger"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN day TYPE integer USING day - DATE '2000-01-01'")
    op.add_column("quota_ledger", sa.Column("project_id", sa.String(), nullable=True))
    op.execute(
        "UPDATE quota_ledger SET project_id = tasks.project_id FROM tasks "
        "WHERE tasks.id = quota_ledger.reservation_id AND tasks.project_id <> ''"
    )
    op.create_check_constraint(op.f("ck_quota_ledger_entry"), "quota_ledger", _ENTRY)
    op.drop_index(op.f("ix_quota_ledger_tenant_id"), table_name="quota_ledger")
    op.create_index("ix_quota_ledger_tenant_id", "quota_ledger", ["tenant_id", "id"], unique=False)
    op.create_index(
        "uq_quota_ledger_settled", "quota_ledger", ["reservation_id"], unique=True, postgresql_where=_SETTLED
    )
    op.execute(
        """
CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = 'the quota ledger is append-only';
END $$
        """
    )
    op.execute(
        "CREATE TRIGGER refuse_ledger_change BEFORE UPDATE OR DELETE OR TRUNCATE ON quota_ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()"
    )
    op.create_table(
        "video_batches",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("total_clips", sa.Integer(), nullable=False),
        sa.Column("total_quota", sa.Integer(), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_video_batches_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_video_batches")),
    )
    op.create_index(op.f("ix_video_batches_project_id"), "video_batches", ["project_id"], unique=False)
    op.add_column("videos", sa.Column("batch_id", sa.String(), nullable=True))
    op.create_index(op.f("ix_videos_batch_id"), "videos", ["batch_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_videos_batch_id"), "videos", "video_batches", ["batch_id"], ["id"], ondelete="SET NULL"
    )
    op.add_column("export_files", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_export_files_expires_at"), "export_files", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_export_files_expires_at"), table_name="export_files")
    op.drop_column("export_files", "expires_at")
    op.drop_constraint(op.f("fk_videos_batch_id"), "videos", type_="foreignkey")
    op.drop_index(op.f("ix_videos_batch_id"), table_name="videos")
    op.drop_column("videos", "batch_id")
    op.drop_table("video_batches")
    op.execute("DROP TRIGGER refuse_ledger_change ON quota_ledger")
    op.execute("DROP FUNCTION refuse_ledger_change()")
    op.drop_index("uq_quota_ledger_settled", table_name="quota_ledger")
    op.drop_index("ix_quota_ledger_tenant_id", table_name="quota_ledger")
    op.create_index(op.f("ix_quota_ledger_tenant_id"), "quota_ledger", ["tenant_id"], unique=False)
    op.drop_constraint(op.f("ck_quota_ledger_entry"), "quota_ledger", type_="check")
    op.drop_column("quota_ledger", "project_id")
    # The day that an account is in dates its others.
    op.execute("ALTER TABLE quota_ledger ADD COLUMN dated date")
    op.execute(
        "UPDATE quota_ledger AS entry SET dated = (account.resets_at AT TIME ZONE account.time_zone)::date - 1 "
        "- (account.day - entry.day) FROM quota_accounts AS account WHERE account.tenant_id = entry.tenant_id"
    )
    op.drop_column("quota_ledger", "day")
    op.alter_column("quota_ledger", "dated", new_column_name="day", nullable=False)
    op.execute(
        "ALTER TABLE quota_accounts ALTER COLUMN day TYPE date USING (resets_at AT TIME ZONE time_zone)::date - 1"
    )
    op.drop_column("quota_accounts", "resets_at")
    op.drop_column("quota_accounts", "next_time_zone")
