"""Music through diffusers: ACE-Step."""

import numpy as np

from models.diffusion.pipeline import DiffusionPipelineAdapter
from models.interfaces import Report, Sound
from models.music.finish import finished, part_to_make
from models.music.prompt import english_music_prompt, music_prompt
from models.options import ComposerOptions
from models.specs import MusicSpec

_INSTRUMENTAL = "[Instrumental]"  # what ACE-Step was told in the place of lyrics where nobody sings
_SHORTEST_S = 10.0  # of what it was trained on: less is cut from as much


class DiffusionComposer(DiffusionPipelineAdapter[ComposerOptions]):
    """Implements ``models.interfaces.Composer``."""

    options_class = ComposerOptions

    def compose(self, spec: MusicSpec, report: Report) -> tuple[Sound, bool]:
        """Raises BadOutputError for what is no music."""
        duration_s, loop = part_to_make(spec.duration_s, self.options.max_duration_s)
        prompt = music_prompt(spec) if "zh" in self.model.languages else english_music_prompt(spec)
        report.note(
            prompt=prompt,
            lyrics=_INSTRUMENTAL,
            steps=self.options.steps,
            guidance_scale=self.options.guidance_scale,
            arguments=self.options.arguments,
            seed=spec.seed,
            duration_s=duration_s,
            loop=loop,
        )
        output = self.render(
            report,
            steps=self.options.steps,
            seed=spec.seed,
            preview=False,
            prompt=prompt,
            lyrics=_INSTRUMENTAL,
            audio_duration=max(duration_s, _SHORTEST_S),
            output_type="np",
        )
        samples = np.asarray(output.audios[0], dtype=np.float32)
        sound = finished(samples, self.pipeline.sample_rate, duration_s, loop=loop)
        report(1.0)
        return sound, loop
