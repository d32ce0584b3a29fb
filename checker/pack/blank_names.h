// Names in the metadata of an image, made unreadable.
#pragma once

#include "checker/analysis/context.h"
#include "checker/device/overlay_device.h"

namespace cowvet {

// Overwrites, in a copy, the names of snapshots and bitmaps, of the backing file and of the data file.
// Lengths stay, and so does what the rules look at: which names are equal, and characters that are not
// letters or digits (separators, dots, NUL). `context` is that of the image itself.
void blank_names(const Context& context, OverlayDevice& copy);

}  // namespace cowvet
