// Histories that nobody thought of: random writes, snapshots and resizes, as the statements of a recipe. To
// be made inside of rc::check, which then finds the shortest one that fails.
#pragma once

#include <fmt/format.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace cowvet::corpus {

inline std::uint64_t below(std::uint64_t limit) {
  return *rc::gen::inRange<std::uint64_t>(0, limit);
}

// The image line of a random recipe, and what its statements have to know.
struct RandomImage {
  bool extended = *rc::gen::arbitrary<bool>();
  unsigned version = extended || *rc::gen::arbitrary<bool>() ? 3 : 2;
  unsigned cluster_bits = *rc::gen::inRange(extended ? 14u : 9u, 17u);
  unsigned refcount_bits = version == 2 ? 16 : 1u << *rc::gen::inRange(3u, 7u);
  bool zstd = version == 3 && *rc::gen::arbitrary<bool>();
  std::uint64_t clusters = 16 + below(64);
  std::uint64_t missing_bytes = cluster_bits == 9 ? 0 : 512 * below(2);  // of the last cluster
  std::vector<unsigned> snapshots = {};
  unsigned next_snapshot = 1;

  std::uint64_t cluster_bytes() const { return std::uint64_t{1} << cluster_bits; }

  std::string image_line() const {
    return fmt::format("image version={} cluster={} size={}{}{}{}", version, cluster_bytes(),
                       clusters * cluster_bytes() - missing_bytes, extended ? " extended-l2" : "",
                       version == 3 ? fmt::format(" refcount-bits={}", refcount_bits) : "",
                       zstd ? " compression=zstd" : "");
  }

  std::string cluster_range() const {
    const std::uint64_t first = below(clusters);
    const std::uint64_t count = 1 + below(std::min<std::uint64_t>(8, clusters - first));
    return fmt::format("{}+{}", first * cluster_bytes(), count * cluster_bytes());
  }

  std::string sector_range() const {
    const std::uint64_t sectors = clusters * cluster_bytes() / 512;
    const std::uint64_t first = below(sectors);
    return fmt::format("{}+{}", first * 512, 512 * (1 + below(std::min<std::uint64_t>(64, sectors - first))));
  }

  std::string snapshot_line() {
    if (snapshots.size() >= 4) return "";
    snapshots.push_back(next_snapshot);
    return fmt::format("snapshot {} vm-state={}", next_snapshot++, below(3) * cluster_bytes());
  }

  std::string delete_line() {
    if (snapshots.empty()) return "";
    const std::size_t at = below(snapshots.size());
    const unsigned id = snapshots[at];
    snapshots.erase(snapshots.begin() + static_cast<std::ptrdiff_t>(at));
    return fmt::format("delete-snapshot {}", id);
  }

  std::string statement() {
    switch (below(10)) {
      case 0:
      case 1:
        return fmt::format("write {} with=random", cluster_range());
      case 2:
        return fmt::format("write {}", sector_range());
      case 3:
        return version == 3 ? fmt::format("zero {}{}", cluster_range(), below(2) ? " allocated" : "") : "";
      case 4:
      case 5:
        return fmt::format("compress {}{}", cluster_range(), below(4) ? "" : " own-cluster");
      case 6:
        return fmt::format("discard {}", cluster_range());
      case 7:
        return snapshot_line();
      case 8:
        return delete_line();
      default:
        return snapshots.empty() ? ""
                                 : fmt::format("revert-to-snapshot {}", snapshots[below(snapshots.size())]);
    }
  }

  std::string body() {
    std::string text = image_line() + "\n";
    for (std::uint64_t left = below(25); left != 0; --left) text += statement() + "\n";
    if (version == 3 && below(2)) text += fmt::format("bitmap b granularity=512 set={}\n", sector_range());
    return text;
  }
};

}  // namespace cowvet::corpus
