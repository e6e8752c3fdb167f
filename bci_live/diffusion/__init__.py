"""Decoding → picture: diffusers pipelines behind one reconstructor."""
