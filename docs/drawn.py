"""Hands sphinx-gallery the figure that a block of a gallery script leaves in `figure`."""

from sphinx_gallery.scrapers import figure_rst


def drawn(block, names, configuration):
    figure = names["example_globals"].pop("figure", None)
    if figure is None:
        return ""
    path = next(names["image_path_iterator"])
    figure.savefig(path, dpi=110)
    return figure_rst([path], configuration["src_dir"])
