// A map of a file or disk of any size in a bounded number of segments, for a page that shows it at any zoom.
//
// As long as there are few runs, each is kept as it is. Where there are more than fit, runs that lie in one
// cell of 2^n units are joined, of which only the shares of each kind are known then; runs longer than a cell
// are always kept. n is as small as possible: what a sound image of many TiB is made of, long runs of data
// between small tables, stays exact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace cowvet {

class MapSummary {
 public:
  using Kind = std::uint8_t;  // below 32

  struct Segment {
    std::uint64_t begin = 0;  // units
    std::uint64_t units = 0;
    std::vector<std::pair<Kind, std::uint64_t>> shares;  // in units, by kind; one in a segment of one kind
  };

  // `most_numbers`: what `numbers` may hold.
  explicit MapSummary(std::size_t most_numbers) : most_numbers_(most_numbers) {}

  // Adds a run behind all others.
  void add(Kind kind, std::uint64_t units);

  const std::vector<Segment>& segments() const { return segments_; }
  std::uint64_t units() const { return segments_.empty() ? 0 : end_of(segments_.back()); }

  // All of it as "units,kinds,share,share,...": for each segment its length, the set of its kinds as bits,
  // and where it has several, the share of each in units, the lowest kind first.
  std::string numbers() const;

 private:
  static std::uint64_t end_of(const Segment& segment) { return segment.begin + segment.units; }
  static std::size_t numbers_of(const Segment& segment) {
    return 2 + (segment.shares.size() > 1 ? segment.shares.size() : 0);
  }
  void coarsen();
  void join_within_cells();

  std::size_t most_numbers_;
  std::size_t numbers_ = 0;
  unsigned cell_bits_ = 0;
  std::vector<Segment> segments_;
};

}  // namespace cowvet
