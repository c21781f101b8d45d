"""Networks that MONAI does not have, or has in another form than the published one. They import torch: import them in functions."""
