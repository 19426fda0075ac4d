"""The frames of an animated WebP as libwebp composes them: straight RGBA, one after another, on
standard output. The judge of our own composition (src/codec/image/animation/tests.rs)."""

import ctypes
import sys

ABI = 0x0107  # WEBP_DEMUX_ABI_VERSION of libwebpdemux.so.2


class Data(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class Info(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint32)
        for name in ("width", "height", "loops", "background", "frames", "a", "b", "c", "d")
    ]


def main() -> None:
    library = ctypes.CDLL("libwebpdemux.so.2")
    library.WebPAnimDecoderNewInternal.restype = ctypes.c_void_p
    content = open(sys.argv[1], "rb").read()
    data = Data(content, len(content))
    decoder = library.WebPAnimDecoderNewInternal(ctypes.byref(data), None, ABI)
    if not decoder:
        sys.exit("libwebp refuses the file")
    decoder = ctypes.c_void_p(decoder)
    info = Info()
    library.WebPAnimDecoderGetInfo(decoder, ctypes.byref(info))
    size = info.width * info.height * 4
    while library.WebPAnimDecoderHasMoreFrames(decoder):
        pixels, until = ctypes.c_void_p(), ctypes.c_int()
        if not library.WebPAnimDecoderGetNext(decoder, ctypes.byref(pixels), ctypes.byref(until)):
            sys.exit("libwebp stops at a frame")
        sys.stdout.buffer.write(ctypes.string_at(pixels, size))
    library.WebPAnimDecoderDelete(decoder)


main()
