// The two header extensions that point at metadata: bitmap directory and LUKS header. They fill in
// Context::bitmap_directory, bitmap_count and luks_area.
#pragma once

#include "checker/analysis/context.h"

namespace cowvet {

void check_bitmaps_extension(Context& context, const Extension& extension);
void check_bitmaps_present(Context& context);

void check_luks_extension(Context& context, const Extension& extension);
void check_luks_present(Context& context);

}  // namespace cowvet
