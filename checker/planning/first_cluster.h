// The part of the first cluster that has no fixed places: header extensions, and the backing file name behind
// them. Whoever changes an extension writes the whole area anew: all others are kept byte for byte and in
// their order, an end marker follows, and the backing file name moves where it is in the way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checker/planning/round.h"

namespace cowvet {

class FirstCluster {
 public:
  // As the editor has it now. None: it cannot be read, or nobody knows where the extensions begin.
  static std::optional<FirstCluster> load(Round& round);

  struct Item {
    ExtensionType type{};
    std::vector<std::byte> data;
    bool operator==(const Item&) const = default;
  };
  std::vector<Item> items;          // without the end marker
  std::uint64_t header_length = 0;  // where the extensions begin; to be changed with the field itself

  // The extension behind the last item claims to leave the area, which begins at its head.
  bool overrun() const { return walk_.overrun; }
  std::uint32_t overrun_type() const { return walk_.overrun_type; }
  // What lies behind the head of that extension, as far as the area goes.
  std::vector<std::byte> behind_overrun() const;

  // Writes the area as `items` have it, into the step at hand; false, and nothing is written: it does not
  // fit.
  bool write(Round& round) const;

  // The backing file name, where something else than its place and length as given by the header shows it:
  // the only text behind the end marker. Offset and length in the image.
  std::optional<GuestRange> find_backing_name() const;
  std::string text_at(std::uint64_t offset, std::uint64_t length) const;
  // Nothing but zeros is behind the end marker, and no extension speaks of a backing file.
  bool holds_no_backing_name() const;

 private:
  std::vector<std::byte> bytes_;
  Header header_;
  ExtensionWalk walk_;  // into bytes_
  bool name_usable_ = false;
};

}  // namespace cowvet
