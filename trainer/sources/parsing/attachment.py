"""The medium of an attached file, by its name or its MIME type."""

_MEDIA = {
    "photo": "png jpg jpeg jfif webp heic heif avif bmp tif tiff svg image",
    "gif": "gif",
    "video": "mp4 mov webm mkv avi 3gp m4v mpeg mpg qt video",
    "voice": "ogg oga opus m4a aac amr caf wav wma",
    "audio": "mp3 flac aiff mid audio",
}
_BY_ENDING = {ending: medium for medium, endings in _MEDIA.items() for ending in endings.split()}


def medium_of(name: str) -> str:
    """Return photo, gif, video, voice, audio or file.

    name: a file's name, path or URL, or a MIME type.
    """
    bare = name.split("?")[0].strip().lower()
    main, _, sub = bare.partition("/")
    if sub and main in ("image", "video", "audio"):
        return "gif" if sub == "gif" else _BY_ENDING[main]
    return _BY_ENDING.get(bare.rpartition(".")[2], "file")
