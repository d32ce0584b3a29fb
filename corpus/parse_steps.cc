// The statements that fill the image, in the order in which they happen.
#include <algorithm>

#include "corpus/parse_recipe.h"

namespace cowvet::corpus {
namespace {

void add_step(Recipe& recipe, const Arguments& words, Action action) {
  recipe.steps.push_back({words.where(), words.verb(), std::move(action)});
}

void parse_write(Recipe& recipe, Arguments& words) {
  WriteData write{.range = words.next_range(), .pattern = {}};
  write.pattern = words.pattern("with", {});
  write.past_end = words.flag("past-end");
  add_step(recipe, words, write);
}

void parse_zero(Recipe& recipe, Arguments& words) {
  WriteZeros zero{.range = words.next_range()};
  zero.allocated = words.flag("allocated");
  if (recipe.image.version == 2) words.fail(words.verb(), "version 2 has no zero flag");
  add_step(recipe, words, zero);
}

void parse_compress(Recipe& recipe, Arguments& words) {
  WriteCompressed write{.range = words.next_range(), .pattern = {}};
  write.pattern = words.pattern("with", {});
  if (const auto bits = words.number("window-bits"))
    write.window_bits = static_cast<int>(std::clamp<std::uint64_t>(*bits, 9, 15));
  write.own_cluster = words.flag("own-cluster");
  add_step(recipe, words, write);
}

void parse_discard(Recipe& recipe, Arguments& words) {
  add_step(recipe, words, Discard{words.next_range()});
}

void parse_snapshot(Recipe& recipe, Arguments& words) {
  TakeSnapshot snapshot;
  snapshot.id = words.next("the ID of the snapshot");
  snapshot.name = words.text("name").value_or(snapshot.id);
  snapshot.vm_state_bytes = words.number("vm-state").value_or(0);
  snapshot.extra_bytes = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(words.number("extra").value_or(snapshot.extra_bytes), 1 << 20));
  snapshot.date_seconds = static_cast<std::uint32_t>(words.number("date").value_or(snapshot.date_seconds));
  snapshot.disk_size = words.number("disk-size");
  add_step(recipe, words, snapshot);
}

void parse_delete_snapshot(Recipe& recipe, Arguments& words) {
  add_step(recipe, words, DeleteSnapshot{words.next("the ID of the snapshot")});
}

void parse_revert(Recipe& recipe, Arguments& words) {
  add_step(recipe, words, RevertToSnapshot{words.next("the ID of the snapshot")});
}

void parse_resize(Recipe& recipe, Arguments& words) {
  const std::string size = words.next("the new size");
  const auto bytes = parse_number(size);
  if (!bytes) words.fail(size, "a number is expected, such as 4096, 64K or 0x1f");
  add_step(recipe, words, Resize{bytes.value_or(0)});
}

void parse_bitmap(Recipe& recipe, Arguments& words) {
  AddBitmap bitmap;
  bitmap.name = words.next("the name of the bitmap");
  bitmap.granularity_bits = words.power_of_two("granularity", 0, 63).value_or(16);
  bitmap.extra_bytes =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(words.number("extra").value_or(0), 1 << 20));
  bitmap.set = words.ranges("set");
  bitmap.automatic = words.flag("auto");
  bitmap.in_use = words.flag("in-use");
  bitmap.full = words.flag("full");
  bitmap.extra_compatible = words.flag("extra-compatible");
  add_step(recipe, words, bitmap);
}

void parse_leak(Recipe& recipe, Arguments& words) {
  LeakClusters leak{.count = words.number("clusters").value_or(1), .pattern = {}};
  leak.pattern = words.pattern("with", {});
  add_step(recipe, words, leak);
}

void parse_free(Recipe& recipe, Arguments& words) {
  add_step(recipe, words, SkipClusters{words.number("clusters").value_or(1)});
}

void parse_trailing(Recipe& recipe, Arguments& words) {
  AddTrailing trailing{.size_bytes = words.number("size").value_or(512), .pattern = {}};
  trailing.pattern = words.pattern("with", {});
  add_step(recipe, words, trailing);
}

constexpr Verb kVerbs[] = {
    {"write", Part::steps, parse_write},
    {"zero", Part::steps, parse_zero},
    {"compress", Part::steps, parse_compress},
    {"discard", Part::steps, parse_discard},
    {"snapshot", Part::steps, parse_snapshot},
    {"delete-snapshot", Part::steps, parse_delete_snapshot},
    {"revert-to-snapshot", Part::steps, parse_revert},
    {"resize", Part::steps, parse_resize},
    {"bitmap", Part::steps, parse_bitmap},
    {"leak", Part::steps, parse_leak},
    {"free", Part::steps, parse_free},
    {"trailing", Part::steps, parse_trailing},
};

}  // namespace

std::span<const Verb> step_verbs() {
  return kVerbs;
}

}  // namespace cowvet::corpus
