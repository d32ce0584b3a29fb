#include "checker/planning/original_bytes.h"

#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace cowvet {
namespace {

constexpr std::uint64_t kPieceBytes = 256 << 10;

std::optional<std::uint64_t> hash_of(const Device& device, std::uint64_t offset, std::uint64_t length) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), XXH3_freeState);
  XXH3_64bits_reset(state.get());
  std::vector<std::byte> bytes(std::min(length, kPieceBytes));
  for (std::uint64_t done = 0; done < length;) {
    const std::span part = std::span(bytes).first(std::min<std::uint64_t>(bytes.size(), length - done));
    if (!device.read(offset + done, part)) return std::nullopt;
    XXH3_64bits_update(state.get(), part.data(), part.size());
    done += part.size();
  }
  return XXH3_64bits_digest(state.get());
}

}  // namespace

bool holds(const Device& device, std::uint64_t offset, const Content& content, const Device& original) {
  std::vector<std::byte> there(std::min(content.size(), kPieceBytes));
  std::vector<std::byte> wanted(there.size());
  for (std::uint64_t done = 0; done < content.size();) {
    const std::size_t length = std::min<std::uint64_t>(there.size(), content.size() - done);
    const std::span part = std::span(there).first(length);
    const std::span wanted_part = std::span(wanted).first(length);
    if (!device.read(offset + done, part) || !content.read(done, wanted_part, original)) return false;
    if (!std::ranges::equal(part, wanted_part)) return false;
    done += length;
  }
  return true;
}

Content hash_originals(const Content& content, const Device& original) {
  Content hashed;
  std::uint64_t begin = 0;
  for (const Content::Piece& piece : content.pieces()) {
    if (const auto* place = std::get_if<OriginalBytes>(&piece.source))
      hashed.append(Content::original(place->offset, piece.length,
                                      hash_of(original, place->offset, piece.length).value_or(0)));
    else
      hashed.append(content.slice(begin, piece.length));
    begin = piece.end;
  }
  return hashed;
}

std::optional<std::uint64_t> find_changed_original(const Content& content, const Device& original) {
  for (const Content::Piece& piece : content.pieces())
    if (const auto* place = std::get_if<OriginalBytes>(&piece.source))
      if (hash_of(original, place->offset, piece.length) != place->hash) return place->offset;
  return std::nullopt;
}

}  // namespace cowvet
