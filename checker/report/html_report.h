// One self-contained page for people who examine a damaged image: the verdict, maps of the file and of the
// guest's disk that can be zoomed, the findings with links to their places in the maps, the structures of the
// image, and digests.
//
// Nothing in it is loaded from anywhere, and its content security policy names its only script and style
// sheet by their digests: nothing that an image says can run. Whatever the image, the page stays below 2 MiB:
// maps are summaries (see map_summary.h), lists are cut where the page says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "checker/analysis/context.h"
#include "checker/report/digest.h"
#include "checker/report/verdict.h"

namespace cowvet {

inline constexpr std::uint64_t kMostPageBytes = 2 << 20;

struct ImageDigests {
  // Nothing: not wanted, or not readable.
  std::optional<Sha256Digest> image;
  std::optional<Sha256Digest> metadata;
};

// `report` is that of `context`, whose passes have run. Goes over the L2 tables again, for the maps. The same
// image and options always give the same page.
std::string html_report(Context& context, const Report& report, Judging judging, const ImageDigests& digests);

}  // namespace cowvet
