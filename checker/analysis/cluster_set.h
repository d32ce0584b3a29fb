// A set of host clusters, for the few that something is wrong with: compressed bitmaps, whose size follows
// what is in them. One thread may add at a time; any number may read when none adds.
#pragma once

#include <cstdint>
#include <roaring/roaring64map.hh>

namespace cowvet {

class ClusterSet {  // NOLINT(bugprone-exception-escape): of Roaring, which does not throw there
 public:
  void add(std::uint64_t cluster) { clusters_.add(cluster); }
  void add(std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t cluster = first; cluster != first + count; ++cluster) add(cluster);
  }
  // Adds what another set holds.
  void merge(const ClusterSet& other) { clusters_ |= other.clusters_; }

  bool contains(std::uint64_t cluster) const { return clusters_.contains(cluster); }
  std::uint64_t size() const { return clusters_.cardinality(); }
  bool empty() const { return clusters_.isEmpty(); }

  // Calls visit(first, count) for the maximal runs of members, in order.
  template <typename Visit>
  void for_each_run(Visit visit) const {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    for (const std::uint64_t cluster : clusters_) {
      if (count != 0 && cluster == first + count) {
        ++count;
        continue;
      }
      if (count != 0) visit(first, count);
      first = cluster;
      count = 1;
    }
    if (count != 0) visit(first, count);
  }

 private:
  Roaring64Map clusters_;
};

}  // namespace cowvet
