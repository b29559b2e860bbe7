#!/bin/sh
# Installs what the DICOM tests drive, on Debian or Ubuntu: validators, a PACS, a browser, and npm for OHIF.
# Then: VERTENET_REQUIRE_TOOLS=1 make test-tools
set -eu
apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    dicom3tools pixelmed-apps default-jdk-headless dcmtk orthanc orthanc-dicomweb chromium npm
