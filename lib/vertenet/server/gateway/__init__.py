"""The ASGI application of ``vertenet serve`` around MONAI Label's endpoints; `assembly` joins its parts."""
