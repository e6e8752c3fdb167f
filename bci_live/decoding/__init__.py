"""EEG epoch → saliency map, caption embedding, latent, label probabilities; and a decoder on disk."""
