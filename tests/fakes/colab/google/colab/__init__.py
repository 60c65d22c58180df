"""Colab as a notebook sees it, on disk: what a browser would send and get lies in folders."""
