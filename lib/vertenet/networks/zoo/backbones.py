"""VerteNet on other encoders (the paper's Figure 3b); ``vertenet`` itself has EfficientNetV2-S."""

from __future__ import annotations

from .plans import register_plans

register_plans(
    {
        "vertenet-resnet34": ("VerteNet on ResNet34.", {"encoder": "resnet34"}),
        "vertenet-efficientnet-b3": ("VerteNet on EfficientNet-B3.", {"encoder": "tf_efficientnet_b3"}),
        "vertenet-convnext-tiny": ("VerteNet on ConvNeXt-T.", {"encoder": "convnext_tiny"}),
    }
)
