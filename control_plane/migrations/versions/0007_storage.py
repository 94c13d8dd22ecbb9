"""Disk accounts kept by a trigger, what the collector notes.

Revision: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COUNT_ARTIFACT = """
CREATE FUNCTION count_artifact() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    freed bigint;
    added integer;
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.key IS NOT NULL THEN
        PERFORM 1 FROM disk_accounts WHERE tenant_id = OLD.tenant_id FOR UPDATE;
        UPDATE disk_objects SET artifacts = artifacts - 1 WHERE tenant_id = OLD.tenant_id AND key = OLD.key;
        DELETE FROM disk_objects WHERE tenant_id = OLD.tenant_id AND key = OLD.key AND artifacts = 0
            RETURNING size INTO freed;
        IF freed IS NOT NULL THEN
            UPDATE disk_accounts SET used_bytes = used_bytes - freed WHERE tenant_id = OLD.tenant_id;
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.key IS NOT NULL THEN
        INSERT INTO disk_accounts (tenant_id, used_bytes) VALUES (NEW.tenant_id, 0) ON CONFLICT DO NOTHING;
        PERFORM 1 FROM disk_accounts WHERE tenant_id = NEW.tenant_id FOR UPDATE;
        INSERT INTO disk_objects (tenant_id, key, size, artifacts) VALUES (NEW.tenant_id, NEW.key, NEW.size, 1)
            ON CONFLICT (tenant_id, key) DO UPDATE SET artifacts = disk_objects.artifacts + 1
            RETURNING artifacts INTO added;
        IF added = 1 THEN
            UPDATE disk_accounts SET used_bytes = used_bytes + NEW.size WHERE tenant_id = NEW.tenant_id;
        END IF;
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.add_column("artifacts", sa.Column("unreferenced_since", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_artifacts_unreferenced_since"), "artifacts", ["unreferenced_since"], unique=False)
    op.create_table(
        "disk_accounts",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("used_bytes", sa.BigInteger(), nullable=False),
        sa.Column("limit_bytes", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("used_bytes >= 0", name=op.f("ck_disk_accounts_used_not_negative")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_disk_accounts")),
    )
    op.create_table(
        "disk_objects",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("artifacts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_disk_objects")),
    )
    op.create_table(
        "collected_objects",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_collected_objects")),
    )
    op.create_index(op.f("ix_collected_objects_collected_at"), "collected_objects", ["collected_at"], unique=False)
    op.execute(
        "INSERT INTO disk_objects (tenant_id, key, size, artifacts) "
        "SELECT tenant_id, key, max(size), count(*) FROM artifacts WHERE key IS NOT NULL GROUP BY tenant_id, key"
    )
    op.execute(
        "INSERT INTO disk_accounts (tenant_id, used_bytes) "
        "SELECT tenant_id, sum(size) FROM disk_objects GROUP BY tenant_id"
    )
    op.execute(COUNT_ARTIFACT)
    op.execute(
        "CREATE CONSTRAINT TRIGGER count_artifact AFTER INSERT OR DELETE OR UPDATE OF key, tenant_id, size "
        "ON artifacts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_artifact()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER count_artifact ON artifacts")
    op.execute("DROP FUNCTION count_artifact()")
    op.drop_table("collected_objects")
    op.drop_table("disk_objects")
    op.drop_table("disk_accounts")
    op.drop_index(op.f("ix_artifacts_unreferenced_since"), table_name="artifacts")
    op.drop_column("artifacts", "unreferenced_since")
