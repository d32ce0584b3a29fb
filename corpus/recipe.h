// A recipe as parsed: what the image is like, what is written to it in which order, what is broken then, and
// what a checker must say about it. corpus/README.md describes the language.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "checker/catalogue/catalogue.h"
#include "checker/format/header.h"
#include "checker/format/units.h"
#include "checker/policy/policy.h"
#include "corpus/place.h"
#include "corpus/recipe_error.h"
#include "corpus/words.h"

namespace cowvet::corpus {

enum class Kind : std::uint8_t {
  sound,
  near_miss,  // looks like a violation of its rule, but is none
  damaged,
};

std::string_view to_string(Kind kind);  // "sound", "near-miss", "damaged"

// What a range of bytes is filled with.
struct Pattern {
  enum class Kind : std::uint8_t {
    byte,
    offsets,  // every 8 bytes hold the offset of the 512-byte sector they are in
    random,   // does not compress; the same for the same offset
  };
  Kind kind = Kind::offsets;
  std::uint8_t byte = 0;
};

// ---- The image

struct ImageOptions {
  std::uint32_t version = 3;
  unsigned cluster_bits = 16;
  std::uint64_t size_bytes = 1 << 20;
  unsigned refcount_order = 4;
  std::optional<std::uint32_t> header_length;
  std::optional<std::uint32_t> refcount_table_clusters;
  std::optional<std::uint32_t> l1_entries;
  CompressionType compression = CompressionType::deflate;
  CryptMethod crypt = CryptMethod::none;
  bool extended_l2 = false;
  bool lazy_refcounts = false;
  bool dirty = false;
  bool corrupt = false;
  bool end_marker = true;        // of the header extensions
  bool ends_as_written = false;  // the file stops at the last sector written, not at the end of its cluster
  bool feature_names = false;
  bool saturate_refcounts = false;  // too many references: the largest refcount is written
};

struct Backing {
  std::string name;
  std::optional<std::string> format;
  // A raw file of this size and content is built beside the image; without a size none is.
  std::optional<std::uint64_t> size_bytes;
  Pattern pattern;
};

struct DataFile {
  // What an analysis finds when it asks for the data file.
  enum class Found : std::uint8_t { yes, missing, not_followed, image, backing };

  std::string name;
  bool named = true;  // has the header extension
  bool raw = false;
  std::optional<std::uint64_t> size_bytes;  // default: the virtual size
  Found found = Found::yes;
};

struct ExtraExtension {
  std::uint32_t type = 0;
  std::string data;
};

struct LuksArea {
  bool written = true;  // else allocated, but never written to
};

// ---- Steps, in order

struct WriteData {
  GuestRange range;
  Pattern pattern;
  bool past_end = false;  // may reach behind the end of the virtual disk
};
struct WriteZeros {
  GuestRange range;
  bool allocated = false;  // with host clusters behind it
};
struct WriteCompressed {
  GuestRange range;
  Pattern pattern;
  int window_bits = 12;
  bool own_cluster = false;  // each stream begins a new host cluster
};
struct Discard {
  GuestRange range;
};
struct TakeSnapshot {
  std::string id;
  std::string name;
  std::uint64_t vm_state_bytes = 0;
  std::uint32_t extra_bytes = 24;
  std::uint32_t date_seconds = 1'500'000'000;
  std::optional<std::uint64_t> disk_size;  // recorded; default: the virtual size
  std::optional<std::uint32_t> l1_entries;
};
struct DeleteSnapshot {
  std::string id;
};
struct RevertToSnapshot {
  std::string id;
};
struct Resize {
  std::uint64_t size_bytes = 0;
};
struct AddBitmap {
  std::string name;
  unsigned granularity_bits = 16;
  bool automatic = false;
  bool in_use = false;
  bool full = false;  // every table entry says "all ones"
  bool extra_compatible = false;
  std::uint32_t extra_bytes = 0;
  std::vector<GuestRange> set;
};
struct LeakClusters {
  std::uint64_t count = 1;
  Pattern pattern;
};
struct SkipClusters {  // left free, with refcount 0
  std::uint64_t count = 1;
};
struct AddTrailing {
  std::uint64_t size_bytes = 0;
  Pattern pattern;
};

using Action = std::variant<WriteData, WriteZeros, WriteCompressed, Discard, TakeSnapshot, DeleteSnapshot,
                            RevertToSnapshot, Resize, AddBitmap, LeakClusters, SkipClusters, AddTrailing>;
struct Step {
  Where where;
  std::string verb;
  Action action;
};

// ---- Damage, in order, when all is laid out

enum class Target : std::uint8_t {
  header,
  extension,       // NAME
  feature_name,    // INDEX
  l1,              // guest= or index=, snapshot=
  l2,              // guest=, snapshot=
  refcount,        // of=
  refcount_table,  // index=
  snapshot,        // ID
  bitmap,          // NAME
  bitmap_table,    // NAME index=
  luks,
  luks_slot,  // INDEX
};

struct Assignment {
  std::string field;
  Operator op = Operator::assign;
  Expression value;                 // of numbers
  std::optional<std::string> text;  // of fields that are bytes, and instead of a number for the whole field
};

struct SetFields {
  Target target{};
  std::string name;  // NAME, ID or INDEX
  std::optional<std::uint64_t> guest;
  std::optional<std::uint64_t> index;
  std::string snapshot;
  std::optional<Expression> of;
  std::vector<Assignment> assignments;
};
struct PatchBytes {
  bool data_file = false;
  Expression at;
  std::string bytes;
};
struct FillBytes {
  bool data_file = false;
  Expression at;
  std::optional<Expression> length;  // default: one cluster
  Pattern pattern;
};
struct Truncate {
  bool data_file = false;
  Expression at;
};
struct Append {
  bool data_file = false;
  Expression length;
  Pattern pattern;
};
// A bad place of the storage: reading it fails, as long as the image is analysed in memory.
struct MakeUnreadable {
  bool data_file = false;
  Expression at;
  std::optional<Expression> length;  // default: one cluster
};
struct AddExtension {
  ExtraExtension extension;
};
struct RemoveExtension {
  std::string name;
};
struct SetExtensionData {
  std::string name;
  std::string data;
};

using DamageAction = std::variant<SetFields, PatchBytes, FillBytes, Truncate, Append, MakeUnreadable,
                                  AddExtension, RemoveExtension, SetExtensionData>;
struct Damage {
  Where where;
  std::string verb;
  DamageAction action;
};

// ---- What a checker must say

struct Expectation {
  Where where;
  RuleId rule{0};
  bool required = true;  // else it may also appear
  std::optional<Expression> at;
  std::optional<Expression> other;
  std::optional<GuestRange> guest;
  std::optional<std::uint64_t> count;
  std::optional<Expression> expected;
  std::optional<Expression> found;
  std::optional<Severity> severity;
  std::optional<std::string> owner;
  std::optional<std::string> file;       // "image", "data-file"
  std::optional<std::string> structure;  // "L2 table"
};

struct Recipe {
  Where where;
  std::string name;  // GROUP/NAME
  std::string about;
  Kind kind = Kind::sound;
  std::optional<RuleId> rule;
  std::string text;  // as written

  ImageOptions image;
  std::optional<Backing> backing;
  std::optional<DataFile> data_file;
  std::optional<LuksArea> luks;
  std::vector<ExtraExtension> extensions;
  std::vector<Step> steps;
  std::vector<Damage> damage;

  bool check_deep = false;
  std::optional<Policy> policy;  // that the check judges by
  bool expects_none = false;
  std::vector<Expectation> expectations;
  int expected_status = 0;
  std::string why_no_remedy;  // no repair makes the rule's finding go away; empty: one must

  // The last part of the name.
  std::string short_name() const { return name.substr(name.rfind('/') + 1); }
  // Where images name no data file of their own choice: short_name.raw.
  std::string data_file_name() const {
    return data_file && !data_file->name.empty() ? data_file->name : short_name() + ".raw";
  }
};

}  // namespace cowvet::corpus
