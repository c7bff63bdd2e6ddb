"""The bundled trainer: a decoder-only language model on a sealed build directory.

config      what to train, as frozen structs and presets
manifest    the sealed build: digests and sizes checked before a token is read
order       the order law: which tokens make up training sample i
data        memory-mapped token streams, one per source
model       the decoder
world       the processes that train together
checkpoint  atomic, newest found by itself, exact resume
loop        one optimizer step after another
launch      local processes or torchrun

Nothing here imports a stage. `config`, `manifest`, `order`, `data` and `launch` work without torch.
"""
