"""Networks to train the losses on: each returns a `ClippedModel` whose outputs are logits.

Layers are named, not numbered, so a network's config does not depend on what was built before it.
The logits are in `keras.config.floatx()` under every dtype policy, as losses need them.
"""
