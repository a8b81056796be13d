"""The stage on which transcripts are played: a whole gateway in this process, real but for what
is outside it, and a search through all that it keeps."""
