#include "checker/format/extensions.h"

#include <algorithm>
#include <cstring>

namespace cowvet {

ExtensionWalk walk_extensions(std::span<const std::byte> first_cluster, std::uint64_t begin,
                              std::uint64_t limit) {
  ExtensionWalk walk{.extensions = {}, .end = begin};
  limit = std::min<std::uint64_t>(limit, first_cluster.size());
  while (walk.end <= limit && limit - walk.end >= sizeof(RawExtensionHead)) {
    RawExtensionHead head;
    std::memcpy(&head, first_cluster.data() + walk.end, sizeof head);
    const auto type = static_cast<ExtensionType>(std::uint32_t{head.type});
    const std::uint64_t data_at = walk.end + sizeof head;
    // The end marker's length is ignored, as QEMU does.
    if (type == ExtensionType::end) {
      walk.end = data_at;
      walk.terminated = true;
      return walk;
    }
    if (head.length_bytes > limit - data_at) {
      walk.overrun = true;
      walk.overrun_type = head.type;
      walk.overrun_length = head.length_bytes;
      return walk;
    }
    walk.extensions.push_back({type, walk.end, first_cluster.subspan(data_at, head.length_bytes)});
    walk.end = data_at + (std::uint64_t{head.length_bytes} + 7) / 8 * 8;
  }
  return walk;
}

}  // namespace cowvet
