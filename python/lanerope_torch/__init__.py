# SPDX-License-Identifier: Apache-2.0
"""Lanes in plain PyTorch: a second implementation beside the engine's, for training and measuring on a GPU."""
