"""What a comparison says, in English and in Japanese."""

from __future__ import annotations

LANGUAGES = ("en", "ja")
_WORDS = {
    "title": ("{}: builder pattern and multi-stage build", "{}：ビルダーパターンとマルチステージビルド"),
    "before": ("builder pattern", "ビルダーパターン"),
    "after": ("multi-stage", "マルチステージ"),
    "commands": ("commands to run", "実行するコマンドの数"),
    "images": ("images left on the engine", "エンジンに残るイメージ"),
    "files": ("files left on the host", "ホストに残るファイル"),
    "layers": ("layers shipped", "配布するイメージのレイヤー数"),
    "shipped": ("bytes shipped", "配布するイメージの大きさ"),
    "cold": ("build without cache", "キャッシュなしのビルド"),
    "rebuild": ("rebuild after a comment line in {}", "{}にコメントを1行足したあとの再ビルド"),
    "unneeded": ("shipped but not needed", "配布するイメージに入った不要なもの"),
    "compiler": ("compiler", "コンパイラー"),
    "sources": ("sources", "ソースコード"),
    "caches": ("package caches", "パッケージのキャッシュ"),
    "none": ("none", "なし"),
    "seconds": ("{:.1f} s", "{:.1f}秒"),
    "sized": ("{} ({})", "{}（{}）"),
    "comma": (", ", "、"),
    "given": ("Commands", "実行したコマンド"),
    "left": ("Left behind", "残ったもの"),
    "notes": ("Left out", "実行しなかったもの"),
    "foot": (
        "Measured in one run of dockdsl compare. Sizes are of unpacked layers; one that images share counts once.",
        "dockdsl compareを1回実行して測った値です。大きさは展開後のもので、共有するレイヤーは1回だけ数えます。",
    ),
}


class Words:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._index = LANGUAGES.index(language)

    def __call__(self, key: str, *values: object) -> str:
        """Return a phrase, with values in its gaps."""
        return _WORDS[key][self._index].format(*values)

    def seconds(self, count: float | None) -> str:
        """Return a duration, or a dash."""
        return "-" if count is None else self("seconds", count)

    def listed(self, parts: list[str]) -> str:
        """Join parts, or say that there are none."""
        return self("comma").join(parts) or self("none")
