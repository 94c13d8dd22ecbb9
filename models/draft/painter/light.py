"""How a time of day and a weather light a picture."""

from dataclasses import dataclass, replace

from models.draft.painter.colour import Colour, mix, rgb, times


@dataclass(frozen=True)
class Light:
    """``sky`` are colours from the zenith to the horizon. ``ambient`` are factors on every surface. ``sun_height``
    is 0 at the horizon, 1 at the top of the sky. ``haze`` is what distance fades into; ``haze_strength`` how much
    of it the farthest thing takes on. ``lamps`` 0 to 1: how much artificial light shows."""

    sky: tuple[Colour, Colour, Colour, Colour]
    ambient: Colour
    sun: Colour
    sun_height: float
    moon: bool
    stars: float
    haze: Colour
    haze_strength: float
    lamps: float
    water: Colour
    cloud: Colour
    cloud_shade: Colour
    cover: float  # share of the sky under cloud

    def on(self, surface: Colour, distance: float = 0.0) -> Colour:
        """A surface in this light; ``distance`` is 0 close by, 1 at the horizon."""
        return mix(times(surface, self.ambient), self.haze, min(1.0, max(0.0, distance)) * self.haze_strength)

    def on_skin(self, surface: Colour) -> Colour:
        """People are lit to be read: half of the ambient light's tint is taken off them, and lamps warm them."""
        lamp = self.lamps * 0.07
        red, green, blue = (0.52 + 0.48 * factor for factor in self.ambient)
        return times(surface, (red + lamp, green, blue - lamp))

    def inside(self) -> "Light":
        """The same hour in a room: its lamps lift the darkest hours, and it is never as dark as outside."""
        share = 0.62 * self.lamps
        ambient = mix(self.ambient, (0.9, 0.78, 0.6), share)
        return replace(self, ambient=ambient, sun=mix(self.sun, (255.0, 214.0, 150.0), self.lamps))


def _light(
    sky: str, ambient: Colour, sun: str, sun_height: float, haze: str, water: str, cloud: str, shade: str, **more: float
) -> Light:
    a, b, c, d = (rgb(code) for code in sky.split())
    return Light(
        sky=(a, b, c, d),
        ambient=ambient,
        sun=rgb(sun),
        sun_height=sun_height,
        moon=bool(more.get("moon", 0)),
        stars=more.get("stars", 0.0),
        haze=rgb(haze),
        haze_strength=more.get("haze_strength", 0.72),
        lamps=more.get("lamps", 0.0),
        water=rgb(water),
        cloud=rgb(cloud),
        cloud_shade=rgb(shade),
        cover=more.get("cover", 0.32),
    )


TIMES: dict[str, Light] = {
    "dawn": _light(
        "#5d7fb8 #a3a9d0 #f0bfae #ffe2b0",
        (0.92, 0.86, 0.9),
        "#fff0c8",
        0.08,
        "#efc9b8",
        "#7f9cc0",
        "#ffdcc6",
        "#a796b8",
        lamps=0.35,
        stars=0.08,
    ),
    "morning": _light(
        "#4d9be0 #7cbcee #b6dcf2 #fdf0d4",
        (1.02, 1.0, 0.95),
        "#fff6d8",
        0.42,
        "#cfe2ee",
        "#3f93c0",
        "#ffffff",
        "#bfd0e2",
    ),
    "day": _light(
        "#2f86dc #58a7ea #93cbf2 #d6eefa",
        (1.05, 1.04, 1.0),
        "#fffbe6",
        0.78,
        "#c3dff0",
        "#2389bd",
        "#ffffff",
        "#c3d4e6",
    ),
    "afternoon": _light(
        "#4a93d6 #82b7e2 #c6d6d8 #fbe5b4",
        (1.06, 0.99, 0.86),
        "#fff0bd",
        0.4,
        "#e6dcc2",
        "#4b92ae",
        "#fff6e2",
        "#c9c3c0",
    ),
    "sunset": _light(
        "#3d3f86 #a5517f #f0744f #ffc45e",
        (1.02, 0.76, 0.64),
        "#ffe79a",
        0.1,
        "#f09a62",
        "#b4626c",
        "#ffb07a",
        "#8a4a78",
        lamps=0.45,
        stars=0.05,
    ),
    "dusk": _light(
        "#1f2a5c #45498a #8a6aa0 #e39a86",
        (0.62, 0.6, 0.82),
        "#ffc9a0",
        0.02,
        "#8d7199",
        "#47588f",
        "#a98bb4",
        "#514f86",
        lamps=0.85,
        stars=0.4,
    ),
    "night": _light(
        "#070c24 #0e1a40 #1b2f5e #34507f",
        (0.36, 0.43, 0.68),
        "#eef2ff",
        0.72,
        "#2a3f6c",
        "#12294f",
        "#3a4c78",
        "#1a274c",
        moon=1,
        lamps=1.0,
        stars=1.0,
        cover=0.22,
    ),
}


def light_of(time: str, weather: str) -> Light:
    light = TIMES[time]
    if weather == "cloudy":
        return _overcast(light, rgb("#98a3b0"), 0.42, cover=0.75)
    if weather == "rain":
        return _overcast(light, rgb("#66768a"), 0.62, cover=0.92, haze=0.85)
    if weather == "storm":
        return _overcast(light, rgb("#39435a"), 0.78, cover=1.0, haze=0.85)
    if weather == "snow":
        return _overcast(light, rgb("#c6d0dc"), 0.5, cover=0.7, haze=0.85)
    if weather == "fog":
        return _overcast(light, rgb("#c2c9cd"), 0.55, cover=0.25, haze=1.0)
    return light


def _overcast(light: Light, veil: Colour, share: float, *, cover: float, haze: float = 0.75) -> Light:
    """The same hour under a veil: the sky's colours draw together and the sun goes behind it. The veil is as
    bright as the hour allows."""
    lit = times(veil, light.ambient)
    sky = tuple(mix(colour, lit, share) for colour in light.sky)
    grey = sum(light.ambient) / 3 * (1 - 0.18 * share)
    return replace(
        light,
        sky=(sky[0], sky[1], sky[2], sky[3]),
        ambient=mix(light.ambient, (grey, grey, grey * 1.04), 0.6 * share),
        sun=mix(light.sun, lit, min(0.9, share * 1.1)),
        stars=light.stars * (1 - min(1.0, share * 1.3)),
        haze=mix(light.haze, lit, share),
        haze_strength=haze,
        lamps=min(1.0, light.lamps + 0.35 * share),
        water=mix(light.water, lit, share * 0.8),
        cloud=mix(light.cloud, lit, share),
        cloud_shade=mix(light.cloud_shade, times(lit, (0.72, 0.74, 0.78)), share),
        cover=cover,
    )
