#include "checker/report/map_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace cowvet {
namespace {

void absorb(MapSummary::Segment& into, const MapSummary::Segment& other) {
  into.units += other.units;
  for (const auto& [kind, units] : other.shares) {
    const auto at =
        std::ranges::lower_bound(into.shares, kind, {}, &std::pair<MapSummary::Kind, std::uint64_t>::first);
    if (at != into.shares.end() && at->first == kind) {
      at->second += units;
    } else {
      into.shares.insert(at, {kind, units});
    }
  }
}

}  // namespace

void MapSummary::add(Kind kind, std::uint64_t units) {
  if (units == 0) return;
  const Segment run{this->units(), units, {{kind, units}}};
  if (!segments_.empty() && segments_.back().shares.size() == 1 && segments_.back().shares[0].first == kind) {
    absorb(segments_.back(), run);
    return;
  }
  segments_.push_back(run);
  numbers_ += numbers_of(run);
  if (numbers_ > most_numbers_) coarsen();
}

// To half of what is allowed, so that it is not needed for each run that follows.
void MapSummary::coarsen() {
  while (numbers_ > most_numbers_ / 2 && cell_bits_ < 63) {
    ++cell_bits_;
    join_within_cells();
  }
}

void MapSummary::join_within_cells() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    Segment& next = segments_[i];
    const bool joins =
        kept != 0 && segments_[kept - 1].begin >> cell_bits_ == (end_of(next) - 1) >> cell_bits_;
    if (joins) {
      absorb(segments_[kept - 1], next);
    } else {
      if (kept != i) segments_[kept] = std::move(next);
      ++kept;
    }
  }
  segments_.resize(kept);
  numbers_ = 0;
  for (const Segment& segment : segments_) numbers_ += numbers_of(segment);
}

std::string MapSummary::numbers() const {
  std::string text;
  for (const Segment& segment : segments_) {
    std::uint32_t kinds = 0;
    for (const auto& [kind, units] : segment.shares) kinds |= std::uint32_t{1} << kind;
    fmt::format_to(std::back_inserter(text), "{}{},{}", text.empty() ? "" : ",", segment.units, kinds);
    if (segment.shares.size() == 1) continue;
    for (const auto& [kind, units] : segment.shares) fmt::format_to(std::back_inserter(text), ",{}", units);
  }
  return text;
}

}  // namespace cowvet
