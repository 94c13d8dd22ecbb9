"""Versions of one film, so that a test that changes a package changes one of its own and nothing is generated twice."""

from typing import Any

from tests.integration.control_plane.conftest import Client
from tests.integration.control_plane.watching import materials


class Film:
    """A version of a film: a package of a project."""

    def __init__(self, user: Client, project_id: str, package_id: str) -> None:
        self.user, self.project_id, self.package_id = user, project_id, package_id
        self.path = f"/material-packages/{package_id}"

    async def copy(self) -> "Film":
        """Another version, which is active then."""
        saved = await self.user.post(f"{self.path}/save-new")
        return Film(self.user, self.project_id, saved["new_package_id"])

    async def element(self, kind: str) -> dict[str, Any]:
        found = await materials(self.user, self.package_id)
        return dict(
            {
                "storyline": found["storyline"],
                "artstyle": found["art_style"],
                "character": found["characters"][0],
                "scene": found["scenes"][0],
                "storyboard": next(shot for shot in found["storyboards"] if "dialogue" in shot),
            }[kind]
        )

    async def post(self, endpoint: str, body: dict[str, Any] | None = None) -> Any:
        return await self.user.post(f"{self.path}/{endpoint}", body)

    async def edit(self, kind: str, new_content: str) -> Any:
        request = {"element_type": kind, "element_id": (await self.element(kind))["id"]}
        more = {"modification_type": "text_edit", "new_content": new_content}
        return await self.user.post(f"{self.path}/modify/text", request | more)

    async def rewrite(self, kind: str, wish: str | None = None) -> Any:
        request = {"element_type": kind, "element_id": (await self.element(kind))["id"]}
        more = {"modification_type": "regenerate"} | ({"user_prompt": wish} if wish else {})
        return await self.user.post(f"{self.path}/modify/text", request | more)

    async def texts(self, kind: str) -> list[dict[str, Any]]:
        query = {"element_id": (await self.element(kind))["id"]}
        return list((await self.user.get(f"{self.path}/text-candidates", params=query))["list"])

    async def over(self, kind: str, candidate_id: str) -> dict[str, Any]:
        """The candidate once nothing is written for it any more."""
        query = {"element_id": (await self.element(kind))["id"]}

        def done(answer: Any) -> bool:
            return all(row["status"] != "processing" for row in answer["list"])

        answer = await self.user.until(f"{self.path}/text-candidates?element_id={query['element_id']}", done)
        return next(row for row in answer["list"] if row["id"] == candidate_id)
