"""Conversations, text candidates, what a rerun of a step needs, and figures of projects that are kept.

Revision: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Whatever adds or removes projects, by a statement of any size: the tenant's count moves in the same transaction.
_COUNT_ADDED = """
CREATE FUNCTION count_added_projects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO project_counts (tenant_id, projects)
    SELECT tenant_id, count(*) FROM added GROUP BY tenant_id ORDER BY tenant_id
    ON CONFLICT (tenant_id) DO UPDATE SET projects = project_counts.projects + excluded.projects;
    RETURN NULL;
END $$
"""
_COUNT_REMOVED = """
CREATE FUNCTION count_removed_projects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO project_counts (tenant_id, projects)
    SELECT tenant_id, -count(*) FROM removed GROUP BY tenant_id ORDER BY tenant_id
    ON CONFLICT (tenant_id) DO UPDATE SET projects = project_counts.projects + excluded.projects;
    RETURN NULL;
END $$
"""
_TRIGGERS = (
    "CREATE TRIGGER projects_added AFTER INSERT ON projects REFERENCING NEW TABLE AS added "
    "FOR EACH STATEMENT EXECUTE FUNCTION count_added_projects()",
    "CREATE TRIGGER projects_removed AFTER DELETE ON projects REFERENCING OLD TABLE AS removed "
    "FOR EACH STATEMENT EXECUTE FUNCTION count_removed_projects()",
)
# As timeline.rules computes them, without what speech that runs over pushes: the next edit measures exactly.
_FILL_FIGURES = """
UPDATE projects SET video_count = figures.videos, total_duration_s = figures.seconds
FROM (
    SELECT package.project_id,
           count(clip.selected_video_id) AS videos,
           coalesce(sum(coalesce(clip.user_duration_s, greatest(clip.planned_s, speech.seconds + 0.4)))
             - sum(clip.transition_s) FILTER (WHERE clip.transition <> 'cut' AND clip.position < last.position), 0)
           AS seconds
    FROM material_packages AS package
    LEFT JOIN timeline_clips AS clip ON clip.package_id = package.id
    LEFT JOIN LATERAL (
        SELECT max(position) AS position FROM timeline_clips WHERE package_id = package.id
    ) AS last ON true
    LEFT JOIN LATERAL (
        SELECT sum(duration_s) + 0.25 * (count(*) - 1) AS seconds FROM speech_lines WHERE clip_id = clip.id
    ) AS speech ON true
    WHERE package.is_active
    GROUP BY package.project_id
) AS figures
WHERE figures.project_id = projects.id
"""


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("display_order", sa.Integer(), nullable=False),
        sa.Column("message_type", sa.String(), nullable=False),
        sa.Column("message_content", sa.String(), nullable=False),
        sa.Column("context_data", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("message_type IN ('system', 'user')", name=op.f("ck_conversations_message_type")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_conversations_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        sa.UniqueConstraint("project_id", "display_order", name=op.f("uq_conversations_project_id_display_order")),
    )
    op.create_table(
        "text_candidates",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("element_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("wish", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("is_selected", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["element_id"], ["elements.id"], name=op.f("fk_text_candidates_element_id_elements"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_candidates")),
        sa.UniqueConstraint("element_id", "position", name=op.f("uq_text_candidates_element_id_position")),
    )
    _add_with("elements", sa.Column("origin", postgresql.JSONB(astext_type=sa.Text())), fill="data")
    _add_with("images", sa.Column("take", sa.Integer()), fill="0")
    _add_with("generation_steps", sa.Column("makes", sa.String()), fill="'script'")
    _add_with("generation_steps", sa.Column("run", sa.Integer()), fill="1")
    _add_with("material_packages", sa.Column("generation_started_at", sa.DateTime(timezone=True)), fill="created_at")
    _add_with("projects", sa.Column("auto_named", sa.Boolean()), fill="name LIKE '%…'")
    op.add_column("projects", sa.Column("total_duration_s", sa.Float(), nullable=True))
    op.add_column("projects", sa.Column("video_count", sa.Integer(), nullable=True))
    op.execute(_FILL_FIGURES)
    op.create_table(
        "project_counts",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("projects", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_project_counts")),
    )
    op.execute("INSERT INTO project_counts SELECT tenant_id, count(*) FROM projects GROUP BY tenant_id")
    op.execute(_COUNT_ADDED)
    op.execute(_COUNT_REMOVED)
    for trigger in _TRIGGERS:
        op.execute(trigger)
    op.drop_index("ix_projects_tenant_id", table_name="projects")
    op.create_index("ix_projects_latest", "projects", ["tenant_id", sa.text("updated_at DESC"), "id"])


def _add_with(table: str, column: sa.Column[object], *, fill: str) -> None:
    """Add a column that may not be null, filled with an SQL expression."""
    column.nullable = True
    op.add_column(table, column)
    op.execute(f"UPDATE {table} SET {column.name} = {fill}")  # noqa: S608 - constants of this file
    op.alter_column(table, column.name, nullable=False)


def downgrade() -> None:
    op.drop_index("ix_projects_latest", table_name="projects")
    op.create_index("ix_projects_tenant_id", "projects", ["tenant_id"])
    for name in ("added", "removed"):
        op.execute(f"DROP TRIGGER projects_{name} ON projects")
        op.execute(f"DROP FUNCTION count_{name}_projects()")
    op.drop_table("project_counts")
    for table, column in (
        ("projects", "video_count"),
        ("projects", "total_duration_s"),
        ("projects", "auto_named"),
        ("material_packages", "generation_started_at"),
        ("generation_steps", "run"),
        ("images", "take"),
        ("generation_steps", "makes"),
        ("elements", "origin"),
    ):
        op.drop_column(table, column)
    op.drop_table("text_candidates")
    op.drop_table("conversations")
