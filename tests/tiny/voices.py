"""Speech models of the real classes with random weights, a few hundred kilobytes each."""

import json
from pathlib import Path

import numpy as np
import torch
from transformers import (
    AutoConfig,
    BarkConfig,
    BarkModel,
    DacFeatureExtractor,
    EncodecConfig,
    HiggsAudioV2Config,
    HiggsAudioV2ForConditionalGeneration,
    Qwen3ASRConfig,
    Qwen3ASRFeatureExtractor,
    Qwen3ASRForTokenClassification,
    Qwen3ASRProcessor,
    VibeVoiceAcousticTokenizerFeatureExtractor,
    VibeVoiceConfig,
    VibeVoiceForConditionalGeneration,
    VibeVoiceProcessor,
    VitsConfig,
    VitsModel,
    VitsTokenizer,
)
from transformers.models.bark.configuration_bark import BarkCoarseConfig, BarkFineConfig, BarkSemanticConfig
from transformers.models.bark.generation_configuration_bark import (
    BarkCoarseGenerationConfig,
    BarkFineGenerationConfig,
    BarkGenerationConfig,
    BarkSemanticGenerationConfig,
)

from models.interfaces import Sound
from tests.tiny.tokenizers import byte_tokenizer, write_template

# --- VITS --------------------------------------------------------------------------------------------------------

_FRAMES_PER_LETTER = 6.0


def build_vits(folder: Path) -> None:
    """Six speakers; the Latin alphabet, digits and 20,902 Chinese characters; 16 kHz."""
    torch.manual_seed(1)
    letters = " abcdefghijklmnopqrstuvwxyz0123456789'-" + "".join(chr(code) for code in range(0x4E00, 0x9FA6))
    vocabulary = {"<pad>": 0, **{letter: number for number, letter in enumerate(letters, start=1)}}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    tokenizer = VitsTokenizer(str(folder / "vocab.json"), phonemize=False, unk_token="<pad>")
    model = VitsModel(
        VitsConfig(
            vocab_size=len(vocabulary),
            hidden_size=8,
            num_hidden_layers=1,
            num_attention_heads=2,
            ffn_dim=16,
            flow_size=8,
            spectrogram_bins=9,
            num_speakers=6,
            speaker_embedding_size=8,
            upsample_initial_channel=16,
            upsample_rates=[16, 16],
            upsample_kernel_sizes=[32, 32],
            resblock_kernel_sizes=[3],
            resblock_dilation_sizes=[[1, 3]],
            duration_predictor_filter_channels=8,
            duration_predictor_num_flows=1,
            prior_encoder_num_flows=1,
            prior_encoder_num_wavenet_layers=1,
            posterior_encoder_num_wavenet_layers=1,
            noise_scale_duration=0.1,
            initializer_range=0.4,
        )
    )
    with torch.no_grad():  # each letter lasts some frames, so that a pace is more than a rounding
        model.duration_predictor.flows[0].translate.fill_(-float(np.log(_FRAMES_PER_LETTER)))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


# --- Bark --------------------------------------------------------------------------------------------------------

_BARK_SEMANTIC, _BARK_CODES = 40, 16
_BARK_TEXT = 300


def build_bark(folder: Path) -> None:
    """Two presets, v2/en_speaker_0 and v2/zh_speaker_0; 24 kHz."""
    torch.manual_seed(2)
    small = {"num_layers": 1, "num_heads": 2, "hidden_size": 16, "block_size": 256, "initializer_range": 0.4}
    coarse_vocabulary = _BARK_SEMANTIC + 2 * _BARK_CODES + 4
    semantic = BarkSemanticConfig(
        input_vocab_size=_BARK_SEMANTIC + 8 + _BARK_TEXT + 8, output_vocab_size=_BARK_SEMANTIC + 8, **small
    )
    coarse = BarkCoarseConfig(input_vocab_size=coarse_vocabulary, output_vocab_size=coarse_vocabulary, **small)
    fine = BarkFineConfig(
        input_vocab_size=_BARK_CODES + 1, output_vocab_size=_BARK_CODES + 1, n_codes_total=8, n_codes_given=1, **small
    )
    codec = EncodecConfig(
        target_bandwidths=[2.4],  # 8 codebooks of 4 bits at 75 Hz
        num_filters=4,
        hidden_size=16,
        codebook_size=_BARK_CODES,
        codebook_dim=16,
        num_lstm_layers=1,
    )
    model = BarkModel(
        BarkConfig(
            semantic_config=semantic.to_dict(),
            coarse_acoustics_config=coarse.to_dict(),
            fine_acoustics_config=fine.to_dict(),
            codec_config=codec.to_dict(),
            initializer_range=0.4,
        )
    )
    _randomise(model.codec_model.quantizer, 1.0)
    _without_biases(model.codec_model.decoder)
    generation = BarkGenerationConfig.from_sub_model_configs(
        BarkSemanticGenerationConfig(
            eos_token_id=_BARK_SEMANTIC,
            max_new_tokens=40,
            text_encoding_offset=_BARK_SEMANTIC + 8,
            text_pad_token=_BARK_SEMANTIC + 8 + _BARK_TEXT,
            semantic_infer_token=_BARK_SEMANTIC + 8 + _BARK_TEXT + 4,
            semantic_vocab_size=_BARK_SEMANTIC,
            max_input_semantic_length=64,
            semantic_rate_hz=25,
        ),
        BarkCoarseGenerationConfig(
            coarse_semantic_pad_token=_BARK_SEMANTIC + 2 * _BARK_CODES + 1,
            coarse_infer_token=_BARK_SEMANTIC + 2 * _BARK_CODES + 2,
            coarse_rate_hz=75,
            max_coarse_input_length=64,
            max_coarse_history=63,
        ),
        BarkFineGenerationConfig(temperature=0.5, max_fine_history_length=64, max_fine_input_length=128),
        sample_rate=24_000,
        codebook_size=_BARK_CODES,
    )
    model.save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps(generation.to_dict()), encoding="utf-8")
    byte_tokenizer("[PAD]", pad_token="[PAD]").save_pretrained(folder)
    presets = {name: _bark_preset(folder, name, seed) for seed, name in enumerate(("en_speaker_0", "zh_speaker_0"))}
    (folder / "speaker_embeddings_path.json").write_text(
        json.dumps({"repo_or_path": "any/where", **{f"v2/{name}": files for name, files in presets.items()}})
    )


def _bark_preset(folder: Path, name: str, seed: int) -> dict[str, str]:
    rng = np.random.default_rng(seed)
    (folder / "speaker_embeddings").mkdir(exist_ok=True)
    files = {}
    for part, shape, count in (
        ("semantic_prompt", (30,), _BARK_SEMANTIC),
        ("coarse_prompt", (2, 45), _BARK_CODES),
        ("fine_prompt", (8, 45), _BARK_CODES),
    ):
        files[part] = f"speaker_embeddings/{name}_{part}.npy"
        np.save(folder / files[part], rng.integers(count, size=shape), allow_pickle=False)
    return files


def _randomise(module: torch.nn.Module, deviation: float) -> None:
    """Codebooks are all zeros until they are trained."""
    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            if name.endswith("embed"):
                tensor.normal_(0.0, deviation)


def _without_biases(decoder: torch.nn.Module) -> None:
    """Else they are most of what is heard."""
    with torch.no_grad():
        for name, parameter in decoder.named_parameters():
            parameter.mul_(0.0 if "bias" in name else 1.5)


# --- VibeVoice ---------------------------------------------------------------------------------------------------

_VIBEVOICE_TEMPLATE = (
    "{% for message in messages %}Speaker {{ message['role'] }}:"
    "{% for part in message['content'] if part['type'] == 'audio' %}"
    "<|vision_start|><|vision_pad|><|vision_end|>{% endfor %}"
    "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}"
    "{% endfor %}<|vision_start|>"
)


def build_vibevoice(folder: Path) -> None:
    """Two recordings to speak like, low.wav and high.wav; 24 kHz, 4800 samples an audio token."""
    torch.manual_seed(3)
    codec = {
        "num_filters": 4,
        "downsampling_ratios": [10, 20, 24],
        "depths": [1, 1, 1, 1],
        "layer_scale_init_value": 0.3,
        "initializer_range": 0.2,
    }
    tokenizer = byte_tokenizer(
        "<|endoftext|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", pad_token="<|endoftext|>"
    )
    config = VibeVoiceConfig(
        text_config=AutoConfig.for_model(
            "qwen2",
            vocab_size=260,
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=1,
            initializer_range=0.2,
        ).to_dict(),
        audio_config=AutoConfig.for_model("vibevoice_acoustic_tokenizer", hidden_size=8, **codec).to_dict(),
        semantic_model_config=AutoConfig.for_model(
            "vibevoice_acoustic_tokenizer_encoder", hidden_size=8, **codec
        ).to_dict(),
        diffusion_head_config={"num_hidden_layers": 1, "intermediate_size": 32, "frequency_embedding_size": 16},
        pad_token_id=256,
        eos_token_id=256,
        audio_bos_token_id=257,
        audio_eos_token_id=258,
        audio_token_id=259,
        initializer_range=0.2,
    )
    model = VibeVoiceForConditionalGeneration(config)
    with torch.no_grad():  # the first dimension says: more sound
        model.model.language_model.embed_tokens.weight[:, 0] = 4.0
        for projector in (model.model.multi_modal_projector, model.model.semantic_connector):
            projector.linear_2.bias[0] = 4.0
        model.lm_head.weight[:, 0] = 0.0
        model.lm_head.weight[259, 0] = 20.0
    model.generation_config.update(
        noise_scheduler_class="DPMSolverMultistepScheduler",
        noise_scheduler_config={"beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction"},
        num_diffusion_steps=2,
        guidance_scale=1.3,
        do_sample=False,
    )
    model.save_pretrained(folder)
    extractor = VibeVoiceAcousticTokenizerFeatureExtractor(pad_to_multiple_of=4800)
    VibeVoiceProcessor(extractor, tokenizer, chat_template=_VIBEVOICE_TEMPLATE).save_pretrained(folder)
    _recordings(folder)


def _recordings(folder: Path) -> None:
    """Half a second of a low and of a high voice."""
    import wave

    for name, pitch in (("low", 110.0), ("high", 260.0)):
        time = np.arange(12_000) / 24_000
        samples = sum(np.sin(2 * np.pi * pitch * harmonic * time) / harmonic for harmonic in range(1, 9))
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(24_000)
            file.writeframes((samples * 8000).astype("<i2").tobytes())


# --- Higgs Audio -------------------------------------------------------------------------------------------------

_HIGGS_TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}{% if part['type'] == 'audio' %}<|audio_out_bos|><|AUDIO_OUT|><|audio_eos|>"
    "{% else %}{{ part['text'] }}\n{% endif %}{% endfor %}<|eot|>{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n<|audio_out_bos|>{% endif %}"
)
_HIGGS_CODES = 16


def build_higgs(folder: Path) -> None:
    """Two codebooks at 25 Hz, 24 kHz; a recording to go on from, low.wav. Its codec needs torchaudio."""
    from transformers import HiggsAudioV2TokenizerConfig
    from transformers.models.higgs_audio_v2_tokenizer.modeling_higgs_audio_v2_tokenizer import (
        HiggsAudioV2TokenizerModel,
    )

    torch.manual_seed(4)
    tokenizer = byte_tokenizer(
        "<|pad|>",
        "<|eot|>",
        "<|start|>",
        "<|AUDIO_OUT|>",
        "<|audio_out_bos|>",
        "<|audio_eos|>",
        "<|reserved_special_token_6|>",
        pad_token="<|pad|>",
        eos_token="<|eot|>",
    )
    model = HiggsAudioV2ForConditionalGeneration(
        HiggsAudioV2Config(
            vocab_size=263,
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=16,
            initializer_range=0.3,
            pad_token_id=256,
            eos_token_id=257,
            bos_token_id=None,
            audio_token_id=259,
            audio_bos_token_id=260,
            audio_delay_token_id=262,
            num_codebooks=2,
            codebook_size=_HIGGS_CODES + 2,
            audio_stream_bos_id=_HIGGS_CODES,
            audio_stream_eos_id=_HIGGS_CODES + 1,
        )
    )
    with torch.no_grad():  # the first dimension says: neither the first nor the last frame of a recording
        for embedding in (model.model.embed_tokens, model.model.embed_audio_tokens.embed_audio_tokens):
            embedding.weight[:, 0] = 4.0
        layer = model.model.layers[0]
        attention = layer.self_attn
        for projection in (attention.o_proj, layer.mlp.down_proj, layer.audio_mlp.down_proj):
            projection.weight[0] = 0.0
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj):
            projection.weight.mul_(5.0)  # else all words together are heard as their mean
        model.audio_lm_head.weight[:, 0] = 0.0
        for book in range(2):
            model.audio_lm_head.weight[book * (_HIGGS_CODES + 2) + _HIGGS_CODES :, 0][:2] = -400.0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_template(folder, _HIGGS_TEMPLATE)
    DacFeatureExtractor(sampling_rate=24_000, hop_length=960).save_pretrained(folder)
    codec = HiggsAudioV2TokenizerModel(
        HiggsAudioV2TokenizerConfig(
            target_bandwidths=[0.2],  # two codebooks of 4 bits at 25 Hz
            codebook_size=_HIGGS_CODES,
            codebook_dim=8,
            semantic_sample_rate=24_000,
            downsample_factor=960,
            initializer_range=0.2,
            acoustic_model_config={
                "encoder_hidden_size": 2,
                "decoder_hidden_size": 16,
                "downsampling_ratios": [8, 5, 6, 4],
                "upsampling_ratios": [8, 5, 6, 4],
                "hidden_size": 16,
            },
            semantic_model_config={
                "hidden_size": 16,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "intermediate_size": 16,
                "conv_dim": [8, 8, 8],
                "conv_stride": [10, 8, 12],
                "conv_kernel": [10, 8, 12],
                "num_conv_pos_embeddings": 4,
                "num_conv_pos_embedding_groups": 2,
            },
        )
    )
    _randomise(codec.quantizer, 1.0)
    _without_biases(codec.acoustic_decoder)
    codec.save_pretrained(folder / "audio_tokenizer")
    _recordings(folder)


# --- forced alignment --------------------------------------------------------------------------------------------

ALIGNER_BINS = 50
_ALIGNER_TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'audio' %}<|audio_start|><|audio_pad|><|audio_end|>"
    "{% else %}{{ part['text'] }}<timestamp><timestamp>{% endif %}{% endfor %}{% endfor %}"
)


def build_aligner(folder: Path) -> None:
    """Time in 50 classes of 80 ms."""
    torch.manual_seed(5)
    tokenizer = byte_tokenizer(
        "<|endoftext|>",
        "<|audio_start|>",
        "<|audio_end|>",
        "<|audio_pad|>",
        "<timestamp>",
        pad_token="<|endoftext|>",
        extra_special_tokens={
            "audio_token": "<|audio_pad|>",
            "audio_bos_token": "<|audio_start|>",
            "audio_eos_token": "<|audio_end|>",
        },
    )
    model = Qwen3ASRForTokenClassification(
        Qwen3ASRConfig(
            audio_config={
                "num_mel_bins": 16,
                "encoder_layers": 1,
                "encoder_attention_heads": 2,
                "encoder_ffn_dim": 16,
                "d_model": 16,
                "output_dim": 32,
                "downsample_hidden_size": 8,
            },
            text_config={
                "vocab_size": 261,
                "hidden_size": 32,
                "intermediate_size": 32,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "num_key_value_heads": 1,
                "head_dim": 16,
            },
            audio_token_id=259,
            timestamp_token_id=260,
            pad_token_id=256,
            eos_token_id=256,
            num_labels=ALIGNER_BINS,
            initializer_range=0.3,
        )
    )
    model.save_pretrained(folder)
    extractor = Qwen3ASRFeatureExtractor(feature_size=16)
    Qwen3ASRProcessor(extractor, tokenizer, chat_template=_ALIGNER_TEMPLATE).save_pretrained(folder)


def hum(seconds: float) -> Sound:
    """A sound to be aligned."""
    time = np.arange(round(seconds * 48_000)) / 48_000
    return Sound((0.1 * np.sin(2 * np.pi * 200 * time)).astype(np.float32)[np.newaxis], 48_000)
