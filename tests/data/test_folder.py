"""A folder of photographs: read as uint8 of one size, into memory or a file, or refused by name."""

import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from minicnn import SGD, Dense, Flatten, Sequential, SoftmaxCrossEntropy, fit
from minicnn.common.errors import DataFileError
from minicnn.data import read_images
from minicnn.data.batches import memory_mapped

sides = st.integers(1, 9)


def pixels(height, width, channels=3, seed=0):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def put(folder, name, array, **options):
    """An image file; its name says which format."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def animals(folder, height=4, width=5):
    """Two cats and a dog, and their pixels in the order of their names."""
    images = [pixels(height, width, seed=k) for k in range(3)]
    for name, image in zip(("cat/b.png", "cat/c.bmp", "dog/a.ppm"), images):
        put(folder, name, image)
    return np.stack(images).transpose(0, 3, 1, 2)


def refusal(folder, name, **arguments):
    """The message with which the folder is refused; it always names the file or folder."""
    with pytest.raises(DataFileError) as caught:
        read_images(folder, 4, **arguments)
    assert str(folder / name) in str(caught.value)
    return str(caught.value)


# What is read


def test_images_of_the_right_size_come_as_they_are_class_after_class(tmp_path):
    wanted = animals(tmp_path)
    photos = read_images(tmp_path, (4, 5))
    assert photos.images.dtype == np.uint8 and photos.images.flags.c_contiguous
    assert np.array_equal(photos.images, wanted)
    assert photos.labels.tolist() == [0, 0, 1]
    assert photos.classes == ("cat", "dog")


@pytest.mark.parametrize("seed", [0, 1])
def test_an_order_from_a_seed_keeps_images_and_labels_together(seed, tmp_path):
    for k in range(20):
        put(tmp_path, f"{'ab'[k % 2]}/{k}.png", np.full((2, 2), k, np.uint8))
    photos = read_images(str(tmp_path), 2, channels=1, seed=seed)
    shown = photos.images[:, 0, 0, 0]
    assert sorted(shown.tolist()) == list(range(20))
    assert np.array_equal(shown % 2, photos.labels)
    assert 0 < photos.labels[:10].sum() < 10
    assert np.array_equal(read_images(tmp_path, 2, channels=1, seed=seed).images, photos.images)


@given(sides, sides, sides, sides, st.sampled_from([1, 3]))
def test_every_image_gets_the_size_and_the_channels_asked_for(
    tmp_path_factory, height, width, new_height, new_width, channels
):
    folder = tmp_path_factory.mktemp("photos")
    put(folder, "a/grey.png", np.full((height, width), 77, np.uint8))
    put(folder, "a/red.png", np.full((width, height, 3), (200, 0, 0), np.uint8))
    grey, red = read_images(folder, (new_height, new_width), channels=channels).images
    assert grey.shape == red.shape == (channels, new_height, new_width)
    assert (grey == 77).all()
    wanted = round(0.299 * 200) if channels == 1 else np.array([200, 0, 0])[:, None, None]
    assert (np.abs(red.astype(int) - wanted) <= 1).all()


@given(st.integers(1, 6), st.integers(0, 6), st.booleans())
def test_what_juts_out_is_cut_off_on_both_sides(tmp_path_factory, side, more, lying):
    image = pixels(side, side + 2 * more)
    wanted = image[:, more : more + side]
    if not lying:
        image, wanted = image.transpose(1, 0, 2), wanted.transpose(1, 0, 2)
    folder = tmp_path_factory.mktemp("photos")
    put(folder, "a/photo.png", np.ascontiguousarray(image))
    assert np.array_equal(read_images(folder, side).images[0], wanted.transpose(2, 0, 1))


def test_a_photograph_is_turned_as_its_camera_was_held(tmp_path):
    image, exif = np.zeros((40, 40), np.uint8), Image.Exif()
    image[:20] = 255  # white above
    exif[0x0112] = 6  # the camera's right side was down
    put(tmp_path, "a/turned.jpg", image, exif=exif)
    (turned,) = read_images(tmp_path, 40, channels=1).images[:, 0]
    assert turned[:, :15].max() < 50 and turned[:, 25:].min() > 200


def test_a_large_jpeg_is_its_mean_colours_when_it_is_made_small(tmp_path):
    image = np.zeros((512, 768, 3), np.uint8)
    image[:256, :384], image[256:, 384:] = (255, 0, 0), (0, 0, 255)
    put(tmp_path, "a/large.jpg", image, quality=95)
    (small,) = read_images(tmp_path, (2, 2)).images.astype(int)
    assert np.abs(small[0] - [[255, 0], [0, 0]]).max() < 70
    assert np.abs(small[2] - [[0, 0], [0, 255]]).max() < 70


@pytest.mark.parametrize("side", [448, 449, 450, 455])
def test_a_jpeg_is_made_small_as_its_pixels_are_whatever_its_sides(side, tmp_path):
    large = np.array(Image.fromarray(pixels(9, 9)).resize((side, side), Image.Resampling.BICUBIC))
    put(tmp_path, "a/one.jpg", large, quality=95)
    put(tmp_path, "a/one.png", large)
    found, wanted = read_images(tmp_path, (28, 28)).images.astype(int)
    assert np.abs(found - wanted).max() < 12


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_pixels_of_every_common_kind_are_read(mode, tmp_path):
    image = Image.fromarray(np.full((3, 3, 3), (255, 255, 255), np.uint8)).convert(mode)
    (tmp_path / "a").mkdir()
    image.save(tmp_path / "a" / ("white.tiff" if mode == "CMYK" else "white.png"))
    assert (read_images(tmp_path, 3).images == 255).all()


def test_transparent_colours_of_a_palette_are_read_without_a_warning(tmp_path):
    image = Image.fromarray(pixels(4, 4)).quantize(4)
    (tmp_path / "a").mkdir()
    image.save(tmp_path / "a" / "palette.png", transparency=bytes([0, 128, 255, 255]))
    wanted = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    assert np.array_equal(read_images(tmp_path, 4).images[0], wanted)


def test_hidden_files_and_files_beside_the_classes_are_ignored(tmp_path):
    wanted = animals(tmp_path)
    for name in (".DS_Store", "README.txt", "cat/.b.png.part", ".git/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"no image")
    photos = read_images(tmp_path, (4, 5))
    assert np.array_equal(photos.images, wanted) and photos.classes == ("cat", "dog")


# What is refused


def test_a_file_that_is_no_image_is_refused(tmp_path):
    animals(tmp_path)
    (tmp_path / "cat" / "notes.txt").write_text("miaow", encoding="utf-8")
    assert "wanted a whole image of BMP" in refusal(tmp_path, "cat/notes.txt")


@pytest.mark.parametrize("name", ["cut.png", "cut.jpg", "cut.bmp"])
def test_an_image_cut_short_is_refused_wherever_it_is_cut(name, tmp_path):
    path = put(tmp_path, f"cat/{name}", pixels(16, 16))
    content = path.read_bytes()
    for length in range(0, len(content) // 2, 7):
        path.write_bytes(content[:length])
        refusal(tmp_path, f"cat/{name}")


def test_a_class_without_images_is_refused(tmp_path):
    animals(tmp_path)
    (tmp_path / "bird").mkdir()
    (tmp_path / "bird" / ".hidden.png").write_bytes(b"")
    assert "wanted the images of a class, got none" in refusal(tmp_path, "bird")


def test_a_folder_without_classes_is_refused_and_a_missing_one_is_an_os_error(tmp_path):
    put(tmp_path, "stray.png", pixels(3, 3))
    assert "wanted a sub-folder for each class, got none" in refusal(tmp_path, "")
    with pytest.raises(FileNotFoundError):
        read_images(tmp_path / "missing", 4)


def test_a_folder_or_a_pipe_among_the_images_is_refused(tmp_path):
    animals(tmp_path)
    (tmp_path / "cat" / "kittens").mkdir()
    assert "no regular file" in refusal(tmp_path, "cat/kittens")
    (tmp_path / "cat" / "kittens").rmdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "cat" / "pipe")
        assert "no regular file" in refusal(tmp_path, "cat/pipe")


def chunk(kind, content):
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


@pytest.mark.parametrize("width, height", [(2**13 + 1, 2**13), (10**4, 10**4), (2**31 - 1,) * 2])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(width, height, tmp_path, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("pixels were decoded"))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(bytes(2**20))), (b"IEND", b"")
    content = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*named) for named in chunks)
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "bomb.png").write_bytes(content)
    refusal(tmp_path, "cat/bomb.png")


def test_sixteen_bits_a_channel_are_refused_not_cut_off(tmp_path):
    put(tmp_path, "cat/deep.png", np.full((3, 3), 40_000, np.uint16))
    assert "at most 8 bits a channel" in refusal(tmp_path, "cat/deep.png")


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"size": 0}, "size must be at least 1"),
        ({"size": (3, 4, 5)}, "size must be one number or two"),
        ({"size": 2.5}, "size must be a whole number"),
        ({"channels": 4}, "channels must be 1 .* or 3 .*, got 4"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"seed": 0.5}, "seed must be a whole number"),
        ({"folder": 3}, "folder must be a str or an os.PathLike"),
        ({"memory_map": True}, "memory_map must be a str or an os.PathLike"),
    ],
)
def test_arguments_that_make_no_sense_are_named(wrong, words, tmp_path):
    animals(tmp_path)
    with pytest.raises((TypeError, ValueError), match=f"read_images: {words}"):
        read_images(**{"folder": tmp_path, "size": 4} | wrong)


# Into a file


@pytest.mark.parametrize("channels", [1, 3])
def test_what_a_file_gets_is_what_memory_gets(channels, tmp_path):
    animals(tmp_path / "animals")
    target = tmp_path / "made for it" / "photos.npy"
    in_memory = read_images(tmp_path / "animals", 7, channels=channels, seed=3)
    in_file = read_images(tmp_path / "animals", 7, channels=channels, seed=3, memory_map=target)
    assert memory_mapped(in_file.images) and not memory_mapped(in_memory.images)
    assert in_file.images.flags.c_contiguous and not in_file.images.flags.writeable
    assert np.array_equal(in_file.images, in_memory.images)
    assert np.array_equal(in_file.labels, in_memory.labels)
    assert in_file.classes == in_memory.classes
    assert np.array_equal(np.load(target), in_memory.images)
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    animals(tmp_path / "animals")
    target = tmp_path / "out" / "photos.npy"
    read_images(tmp_path / "animals", 4, memory_map=target)
    before = target.read_bytes()
    (tmp_path / "animals" / "dog" / "z.png").write_bytes(b"no image")
    for path in (target, tmp_path / "out" / "other.npy"):
        refusal(tmp_path / "animals", "dog/z.png", memory_map=path)
    assert {path.name: path.read_bytes() for path in target.parent.iterdir()} == {
        target.name: before
    }


def test_a_network_learns_from_slices_of_the_file(tmp_path):
    for k in range(24):
        colour = np.zeros((6, 8, 3), np.uint8)
        colour[..., k % 2] = 150 + k
        put(tmp_path / "colours", f"{('red', 'green')[k % 2]}/{k}.png", colour)
    photos = read_images(tmp_path / "colours", 5, seed=0, memory_map=tmp_path / "photos.npy")
    net = Sequential(Flatten(), Dense(75, 2), seed=0)
    history = fit(net, SoftmaxCrossEntropy(), SGD(0.1), photos[:16], photos[16:], epochs=20,
                  batch_size=4, progress=False)  # fmt: skip
    assert history["validation_accuracy"][-1] == 1
