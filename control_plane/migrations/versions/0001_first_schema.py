"""The first schema.

Revision: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("media_type", sa.String(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifacts")),
    )
    op.create_index(op.f("ix_artifacts_key"), "artifacts", ["key"], unique=False)
    op.create_index(op.f("ix_artifacts_tenant_id"), "artifacts", ["tenant_id"], unique=False)
    op.create_table(
        "assets",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("asset_type", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content_artifact_id", sa.String(), nullable=True),
        sa.Column("thumbnail_artifact_id", sa.String(), nullable=True),
        sa.Column("is_preset", sa.Boolean(), nullable=False),
        sa.Column("display_order", sa.Integer(), nullable=False),
        sa.Column("usage_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assets")),
    )
    op.create_index(op.f("ix_assets_tenant_id"), "assets", ["tenant_id"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'cancelled')", name=op.f("ck_jobs_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_project_id"), "jobs", ["project_id"], unique=False)
    op.create_table(
        "leaders",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leaders")),
    )
    op.create_table(
        "quota_accounts",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("daily_limit", sa.Integer(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_quota_accounts_used_not_negative")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_quota_accounts")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("avatar_url", sa.String(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("uq_users_username_lower", "users", [sa.literal_column("lower(username)")], unique=True)
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_idempotency_keys_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("tags", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("edit_count", sa.Integer(), nullable=False),
        sa.Column("thumbnail_artifact_id", sa.String(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_projects_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.create_index(op.f("ix_projects_tenant_id"), "projects", ["tenant_id"], unique=False)
    op.create_table(
        "quota_ledger",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("reservation_id", sa.String(), nullable=False),
        sa.Column("entry", sa.String(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["quota_accounts.tenant_id"], name=op.f("fk_quota_ledger_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quota_ledger")),
        sa.UniqueConstraint("reservation_id", "entry", name=op.f("uq_quota_ledger_reservation_id_entry")),
    )
    op.create_index(op.f("ix_quota_ledger_tenant_id"), "quota_ledger", ["tenant_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("refresh_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("spec", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("units", sa.Double(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("reaction", sa.String(), nullable=False),
        sa.Column("context", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("task_failures", sa.Integer(), nullable=False),
        sa.Column("farm_failures", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("phase", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("error_field", sa.String(), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reaction_failures", sa.Integer(), nullable=False),
        sa.Column("reaction_error", sa.String(), nullable=True),
        sa.Column("quarantined_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(outcome IS NOT NULL AND finished_at IS NOT NULL) = (state IN ('cancelled', 'failed', 'succeeded'))",
            name=op.f("ck_tasks_terminal_has_outcome"),
        ),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome IN ('cancelled', 'model_out_of_memory', 'node', 'preempted', 'succeeded', 'task', 'user', 'worker')",
            name=op.f("ck_tasks_outcome"),
        ),
        sa.CheckConstraint(
            "state IN ('cancelled', 'failed', 'queued', 'running', 'succeeded')", name=op.f("ck_tasks_state")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_tasks_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index(op.f("ix_tasks_job_id"), "tasks", ["job_id"], unique=False)
    op.create_index(
        "ix_tasks_measured",
        "tasks",
        ["kind", "model", "finished_at"],
        unique=False,
        postgresql_where=sa.text("state = 'succeeded'"),
    )
    op.create_index("ix_tasks_queued", "tasks", ["seq"], unique=False, postgresql_where=sa.text("state = 'queued'"))
    op.create_index("ix_tasks_running", "tasks", ["id"], unique=False, postgresql_where=sa.text("state = 'running'"))
    op.create_index(
        "ix_tasks_unapplied",
        "tasks",
        ["reaction_failures", "finished_at"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NOT NULL AND applied_at IS NULL AND quarantined_at IS NULL"),
    )
    op.create_table(
        "attachments",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=True),
        sa.Column("upload_id", sa.String(), nullable=False),
        sa.Column("artifact_id", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("file_type", sa.String(), nullable=False),
        sa.Column("file_category", sa.String(), nullable=False),
        sa.Column("file_size", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifacts.id"], name=op.f("fk_attachments_artifact_id")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_attachments_project_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
        sa.UniqueConstraint("upload_id", name=op.f("uq_attachments_upload_id")),
    )
    op.create_index(op.f("ix_attachments_project_id"), "attachments", ["project_id"], unique=False)
    op.create_index(op.f("ix_attachments_tenant_id"), "attachments", ["tenant_id"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("timings", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("log_key", sa.String(), nullable=True),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome IN ('cancelled', 'model_out_of_memory', 'node', 'preempted', 'succeeded', 'task', 'user', 'worker')",
            name=op.f("ck_attempts_outcome"),
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_attempts_task_id")),
        sa.PrimaryKeyConstraint("task_id", "epoch", name=op.f("pk_attempts")),
    )
    op.create_index(
        "ix_attempts_running", "attempts", ["task_id"], unique=False, postgresql_where=sa.text("outcome IS NULL")
    )
    op.create_table(
        "bgm_candidates",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("artifact_id", sa.String(), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifacts.id"], name=op.f("fk_bgm_candidates_artifact_id")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_bgm_candidates_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bgm_candidates")),
        sa.UniqueConstraint("artifact_id", name=op.f("uq_bgm_candidates_artifact_id")),
    )
    op.create_index(op.f("ix_bgm_candidates_project_id"), "bgm_candidates", ["project_id"], unique=False)
    op.create_table(
        "events",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_events_project_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("project_id", "seq", name=op.f("pk_events")),
    )
    op.create_table(
        "inputs",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("input_mode", sa.String(), nullable=False),
        sa.Column("input_type", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("config", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("subtitle_enabled", sa.Boolean(), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_inputs_project_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_inputs")),
    )
    op.create_table(
        "material_packages",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("package_name", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("summary", sa.String(), nullable=True),
        sa.Column("source", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("narrator_voice_id", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=True),
        sa.Column("generated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_material_packages_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_material_packages")),
        sa.UniqueConstraint("project_id", "version", name=op.f("uq_material_packages_project_id_version")),
    )
    op.create_index(op.f("ix_material_packages_project_id"), "material_packages", ["project_id"], unique=False)
    op.create_index(
        "uq_material_packages_active",
        "material_packages",
        ["project_id"],
        unique=True,
        postgresql_where=sa.text("is_active"),
    )
    op.create_table(
        "project_bgm",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("artifact_id", sa.String(), nullable=True),
        sa.Column("music_name", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("volume", sa.Double(), nullable=False),
        sa.Column("is_loop", sa.Boolean(), nullable=False),
        sa.Column("fade_in_s", sa.Double(), nullable=False),
        sa.Column("fade_out_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifacts.id"], name=op.f("fk_project_bgm_artifact_id")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_project_bgm_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_project_bgm")),
    )
    op.create_table(
        "elements",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("package_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_selected", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["package_id"], ["material_packages.id"], name=op.f("fk_elements_package_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_elements")),
    )
    op.create_index(op.f("ix_elements_package_id"), "elements", ["package_id"], unique=False)
    op.create_table(
        "export_tasks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("package_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("config", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=True),
        sa.Column("edit_count", sa.Integer(), nullable=False),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["package_id"], ["material_packages.id"], name=op.f("fk_export_tasks_package_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_export_tasks_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_tasks")),
    )
    op.create_index(op.f("ix_export_tasks_project_id"), "export_tasks", ["project_id"], unique=False)
    op.create_table(
        "generation_steps",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("package_id", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("display_order", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["package_id"], ["material_packages.id"], name=op.f("fk_generation_steps_package_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generation_steps")),
        sa.UniqueConstraint("package_id", "step", name=op.f("uq_generation_steps_package_id_step")),
    )
    op.create_table(
        "character_voices",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("element_id", sa.String(), nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("is_selected", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name=op.f("fk_character_voices_asset_id")),
        sa.ForeignKeyConstraint(
            ["element_id"], ["elements.id"], name=op.f("fk_character_voices_element_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_character_voices")),
    )
    op.create_index(op.f("ix_character_voices_element_id"), "character_voices", ["element_id"], unique=False)
    op.create_table(
        "export_files",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("export_id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("file_type", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("artifact_id", sa.String(), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("resolution", sa.String(), nullable=True),
        sa.Column("format", sa.String(), nullable=True),
        sa.Column("download_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifacts.id"], name=op.f("fk_export_files_artifact_id")),
        sa.ForeignKeyConstraint(
            ["export_id"], ["export_tasks.id"], name=op.f("fk_export_files_export_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_export_files_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_files")),
    )
    op.create_index(op.f("ix_export_files_export_id"), "export_files", ["export_id"], unique=False)
    op.create_index(op.f("ix_export_files_project_id"), "export_files", ["project_id"], unique=False)
    op.create_table(
        "images",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("element_id", sa.String(), nullable=False),
        sa.Column("image_type", sa.String(), nullable=False),
        sa.Column("artifact_id", sa.String(), nullable=False),
        sa.Column("thumbnail_artifact_id", sa.String(), nullable=False),
        sa.Column("depth_artifact_id", sa.String(), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("wish", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("is_selected", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifacts.id"], name=op.f("fk_images_artifact_id")),
        sa.ForeignKeyConstraint(["depth_artifact_id"], ["artifacts.id"], name=op.f("fk_images_depth_artifact_id")),
        sa.ForeignKeyConstraint(["element_id"], ["elements.id"], name=op.f("fk_images_element_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["thumbnail_artifact_id"], ["artifacts.id"], name=op.f("fk_images_thumbnail_artifact_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
    )
    op.create_index(op.f("ix_images_element_id"), "images", ["element_id"], unique=False)
    op.create_table(
        "timeline_clips",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("package_id", sa.String(), nullable=False),
        sa.Column("element_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("shot_number", sa.Integer(), nullable=False),
        sa.Column("planned_s", sa.Double(), nullable=False),
        sa.Column("user_duration_s", sa.Double(), nullable=True),
        sa.Column("camera_movement", sa.String(), nullable=False),
        sa.Column("transition", sa.String(), nullable=False),
        sa.Column("transition_s", sa.Double(), nullable=False),
        sa.Column("edit", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("selected_video_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["element_id"], ["elements.id"], name=op.f("fk_timeline_clips_element_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["package_id"], ["material_packages.id"], name=op.f("fk_timeline_clips_package_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timeline_clips")),
    )
    op.create_index(op.f("ix_timeline_clips_package_id"), "timeline_clips", ["package_id"], unique=False)
    op.create_table(
        "speech_lines",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clip_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("character_name", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("voice_asset_id", sa.String(), nullable=True),
        sa.Column("speed", sa.Double(), nullable=False),
        sa.Column("volume", sa.Double(), nullable=False),
        sa.Column("emotion", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("artifact_id", sa.String(), nullable=True),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("words", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_custom_audio", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifacts.id"], name=op.f("fk_speech_lines_artifact_id")),
        sa.ForeignKeyConstraint(
            ["clip_id"], ["timeline_clips.id"], name=op.f("fk_speech_lines_clip_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["voice_asset_id"], ["assets.id"], name=op.f("fk_speech_lines_voice_asset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_speech_lines")),
    )
    op.create_index(op.f("ix_speech_lines_clip_id"), "speech_lines", ["clip_id"], unique=False)
    op.create_table(
        "videos",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clip_id", sa.String(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("artifact_id", sa.String(), nullable=False),
        sa.Column("thumbnail_artifact_id", sa.String(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("quota_consumed", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("task_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifacts.id"], name=op.f("fk_videos_artifact_id")),
        sa.ForeignKeyConstraint(["clip_id"], ["timeline_clips.id"], name=op.f("fk_videos_clip_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["thumbnail_artifact_id"], ["artifacts.id"], name=op.f("fk_videos_thumbnail_artifact_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_videos")),
    )
    op.create_index(op.f("ix_videos_clip_id"), "videos", ["clip_id"], unique=False)
    op.execute(
        """
CREATE FUNCTION check_task_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state NOT IN ('queued', 'cancelled') OR NEW.epoch <> 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation',
                MESSAGE = 'task ' || NEW.id || ' may not be created ' || NEW.state;
        END IF;
    ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('queued', 'cancelled'), ('queued', 'running'), ('running', 'cancelled'), ('running', 'failed'), ('running', 'queued'), ('running', 'succeeded')) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = 'task ' || OLD.id || ' may not go from ' || OLD.state || ' to ' || NEW.state;
    ELSIF NEW.epoch <> OLD.epoch + (CASE WHEN OLD.state = 'queued' AND NEW.state = 'running'
                                    THEN 1 ELSE 0 END) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = 'task ' || OLD.id || ' counts an attempt that did not start';
    END IF;
    RETURN NEW;
END $$
        """
    )
    op.execute(
        """
CREATE TRIGGER check_task_transition BEFORE INSERT OR UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION check_task_transition()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER IF EXISTS check_task_transition ON tasks")
    op.drop_index(op.f("ix_videos_clip_id"), table_name="videos")
    op.drop_table("videos")
    op.drop_index(op.f("ix_speech_lines_clip_id"), table_name="speech_lines")
    op.drop_table("speech_lines")
    op.drop_index(op.f("ix_timeline_clips_package_id"), table_name="timeline_clips")
    op.drop_table("timeline_clips")
    op.drop_index(op.f("ix_images_element_id"), table_name="images")
    op.drop_table("images")
    op.drop_index(op.f("ix_export_files_project_id"), table_name="export_files")
    op.drop_index(op.f("ix_export_files_export_id"), table_name="export_files")
    op.drop_table("export_files")
    op.drop_index(op.f("ix_character_voices_element_id"), table_name="character_voices")
    op.drop_table("character_voices")
    op.drop_table("generation_steps")
    op.drop_index(op.f("ix_export_tasks_project_id"), table_name="export_tasks")
    op.drop_table("export_tasks")
    op.drop_index(op.f("ix_elements_package_id"), table_name="elements")
    op.drop_table("elements")
    op.drop_table("project_bgm")
    op.drop_index("uq_material_packages_active", table_name="material_packages", postgresql_where=sa.text("is_active"))
    op.drop_index(op.f("ix_material_packages_project_id"), table_name="material_packages")
    op.drop_table("material_packages")
    op.drop_table("inputs")
    op.drop_table("events")
    op.drop_index(op.f("ix_bgm_candidates_project_id"), table_name="bgm_candidates")
    op.drop_table("bgm_candidates")
    op.drop_index("ix_attempts_running", table_name="attempts", postgresql_where=sa.text("outcome IS NULL"))
    op.drop_table("attempts")
    op.drop_index(op.f("ix_attachments_tenant_id"), table_name="attachments")
    op.drop_index(op.f("ix_attachments_project_id"), table_name="attachments")
    op.drop_table("attachments")
    op.drop_index(
        "ix_tasks_unapplied",
        table_name="tasks",
        postgresql_where=sa.text("finished_at IS NOT NULL AND applied_at IS NULL AND quarantined_at IS NULL"),
    )
    op.drop_index("ix_tasks_running", table_name="tasks", postgresql_where=sa.text("state = 'running'"))
    op.drop_index("ix_tasks_queued", table_name="tasks", postgresql_where=sa.text("state = 'queued'"))
    op.drop_index("ix_tasks_measured", table_name="tasks", postgresql_where=sa.text("state = 'succeeded'"))
    op.drop_index(op.f("ix_tasks_job_id"), table_name="tasks")
    op.drop_table("tasks")
    op.drop_index(op.f("ix_sessions_user_id"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index(op.f("ix_quota_ledger_tenant_id"), table_name="quota_ledger")
    op.drop_table("quota_ledger")
    op.drop_index(op.f("ix_projects_tenant_id"), table_name="projects")
    op.drop_table("projects")
    op.drop_table("idempotency_keys")
    op.drop_index("uq_users_username_lower", table_name="users")
    op.drop_table("users")
    op.drop_table("quota_accounts")
    op.drop_table("leaders")
    op.drop_index(op.f("ix_jobs_project_id"), table_name="jobs")
    op.drop_table("jobs")
    op.drop_index(op.f("ix_assets_tenant_id"), table_name="assets")
    op.drop_table("assets")
    op.drop_index(op.f("ix_artifacts_tenant_id"), table_name="artifacts")
    op.drop_index(op.f("ix_artifacts_key"), table_name="artifacts")
    op.drop_table("artifacts")
    op.execute("DROP FUNCTION IF EXISTS check_task_transition()")
