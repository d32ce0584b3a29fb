#include "tests/matrix/exceptions.h"

#include <algorithm>
#include <ranges>

namespace cowvet::matrix {
namespace {

struct LegalRow {
  std::string_view kind;
  std::string_view field;
  std::string_view verbs;      // separated by commas; empty: any
  std::string_view structure;  // a part of its name; empty: any
  std::string_view why;
};

constexpr std::string_view kText = "any text may be meant";
constexpr std::string_view kGuest = "the guest may have written that";
constexpr std::string_view kAnyTime = "any time may be meant";
constexpr std::string_view kKey = "only who has the key can tell";

constexpr LegalRow kLegal[] = {
    {"backing-format", "bytes", "", "", kText},
    {"backing-name", "bytes", "", "", kText},
    {"data-file-name", "bytes", "ones,first bit,middle bit,last bit,add,subtract", "", kText},
    {"bitmap", "name", "", "", kText},
    {"bitmap", "name_size", "last bit,add", "", "the name takes in a byte of padding"},
    {"bitmap", "granularity_bits", "last bit,add,subtract", "",
     "half or twice as many bits need as many clusters"},
    {"bitmap-table", "all_ones", "", "", kGuest},
    {"bitmap-table", "raw", "zero,last bit,subtract", "", kGuest},
    {"extension", "data_length", "last bit,add,subtract", "extension backing-format", kText},
    {"extension", "data_length", "last bit,add,subtract", "extension data-file-name", kText},
    {"extension", "data_length", "last bit,add", "extension end", "nothing is said of the end marker's data"},
    {"extension", "length", "subtract", "extension luks", "the header fits in one byte less"},
    {"extension", "type", "", "", "unknown extensions are to be ignored"},
    {"feature-name", "bit", "", "", "any bit may have a name"},
    {"feature-name", "name", "", "", kText},
    {"feature-name", "type", "last bit,add,zero,subtract", "", "a bit of that type may have a name"},
    {"header", "autoclear_features", "zero", "", "a data file need not be raw"},
    {"header", "backing_file_offset", "last bit,add,subtract", "", "the name is another part of the text"},
    {"header", "backing_file_size", "", "", "the name is another part of the text, or there is none"},
    {"header", "compatible_features", "last bit,add,zero,subtract", "", "lazy refcounts may be on or off"},
    {"header", "crypt_method", "last bit,add", "", "AES leaves no trace but the field itself"},
    {"header", "l1_size", "last bit,add", "", "the L1 table may be longer than it needs to be"},
    {"header", "nb_snapshots", "last bit,add", "", "zeros behind the table are an entry of version 2"},
    {"header", "size", "add cluster,subtract cluster", "", "the disk may be that large"},
    {"header", "snapshots_offset", "first bit,middle bit,add cluster,subtract cluster", "",
     "there are no snapshots: any cluster may be named"},
    {"l2", "copied", "", "snapshot=", "COPIED means nothing in inactive tables"},
    {"l2", "raw", "first bit", "snapshot=", "COPIED means nothing in inactive tables"},
    {"l2", "raw", "last bit,add,zero,subtract", "", "the cluster may read as zeros, or not"},
    {"l2", "zero", "", "", "the cluster may read as zeros, or not"},
    {"l2", "subclusters", "", "", "any subclusters may be allocated, or read as zeros"},
    {"l2", "subclusters_allocated", "", "", "any subclusters may be allocated"},
    {"l2", "subclusters_zero", "", "", "any subclusters may read as zeros"},
    {"l2-compressed", "additional_sectors", "last bit,add,random,middle bit", "",
     "how long a stream is, is known only to the sector, and more than its own are not used"},
    {"luks", "cipher_mode", "", "", kKey},
    {"luks", "cipher_name", "", "", kKey},
    {"luks", "digest", "", "", kKey},
    {"luks", "hash_spec", "", "", kKey},
    {"luks", "iterations", "", "", kKey},
    {"luks", "key_bytes", "subtract", "", "the key material still fits"},
    {"luks", "payload_sector", "subtract", "", "the key material still fits"},
    {"luks", "salt", "", "", kKey},
    {"luks", "uuid", "", "", kText},
    {"luks-slot", "iterations", "", "", kKey},
    {"luks-slot", "key_material_sector", "last bit,add,subtract", "", "the key material still fits"},
    {"luks-slot", "salt", "", "", kKey},
    {"luks-slot", "stripes", "last bit,add,subtract", "", "the key material still fits"},
    {"snapshot", "date_nanoseconds", "", "", kAnyTime},
    {"snapshot", "date_seconds", "", "", kAnyTime},
    {"snapshot", "vm_clock_nanoseconds", "", "", kAnyTime},
    {"snapshot", "icount", "", "", kAnyTime},
    {"snapshot", "disk_size", "zero,last bit,add,subtract,add cluster,subtract cluster", "",
     "the L1 table covers that size"},
    {"snapshot", "extra_data_size", "last bit,add,subtract,zero", "",
     "other bytes of the entry are taken for ID and name"},
    {"snapshot", "id", "", "", kText},
    {"snapshot", "id_size", "zero,middle bit,last bit,add,subtract", "",
     "other bytes of the entry are taken for ID and name"},
    {"snapshot", "name", "", "", kText},
    {"snapshot", "name_size", "zero,middle bit,last bit,add,subtract", "", "the name has another length"},
    {"snapshot", "l1_size", "last bit,add,subtract", "", "the L1 table may be longer than it needs to be"},
    {"snapshot", "vm_state_size", "", "", "how much of the VM state was saved is known only to who saved it"},
    {"snapshot", "vm_state_size_32", "", "", "the extra data has the field that counts"},
    {"snapshot-l1", "copied", "", "", "COPIED means nothing in inactive tables"},
    {"snapshot-l1", "raw", "first bit", "", "COPIED means nothing in inactive tables"},
};

struct LeftRow {
  std::string_view rule;
  std::string_view why;
};

constexpr std::string_view kBound = "not touched while something is left that may have to do with it";

constexpr LeftRow kLeft[] = {
    {"refcount/orphan-mapping", "lost guest data is kept until the user says otherwise"},
    {"refcount/leak", kBound},
    {"refcount/too-high", kBound},
    {"refcount/too-low", kBound},
    {"refcount/overflow", kBound},
    {"header/corrupt", kBound},
    {"header/crypt-method", "no repair: nobody knows how the disk is encrypted"},
    {"header/backing-name-empty", "no name is in the image: the user must say it"},
    {"header/backing-name-outside", "no name is in the image: the user must say it"},
    {"header/backing-name-overlap", "where the name ends and the header begins cannot be known"},
    {"header/length", "where the header ends is not known as long as a name lies on it"},
    {"header/l1-implausible", "several lost tables could be the L1 table"},
    {"l1/copied", "nothing is written to an L1 table that may be none (header/l1-implausible)"},
    {"overlap/metadata", "one of the structures was overwritten by the other: which one is not known"},
    {"data-file/offset-mismatch", "the user must choose between two places"},
    {"data-file/missing", "the image says that it has one: there is none"},
    {"data-file/compressed", "needs the data file to be there"},
    {"ext/luks-length", "no repair: without the header of the key the disk is lost"},
    {"ext/luks-missing", "no repair: as above"},
    {"ext/luks-outside", "no repair: as above"},
    {"ext/luks-unexpected", "not dropped as long as the encryption method is unknown"},
    {"luks/header", "no repair: as above"},
};

bool has_verb(std::string_view verbs, Verb verb) {
  if (verbs.empty()) return true;
  for (const auto word : std::views::split(verbs, ','))
    if (std::string_view(word.begin(), word.end()) == to_string(verb)) return true;
  return false;
}

}  // namespace

std::string_view why_legal(const corpus::ListedField& field, Verb verb) {
  const auto row = std::ranges::find_if(kLegal, [&](const LegalRow& legal) {
    return legal.kind == field.kind && legal.field == field.field.name && has_verb(legal.verbs, verb) &&
           field.structure.find(legal.structure) != std::string::npos;
  });
  return row == std::end(kLegal) ? std::string_view{} : row->why;
}

std::string_view why_left(std::string_view rule) {
  const auto row = std::ranges::find(kLeft, rule, &LeftRow::rule);
  return row == std::end(kLeft) ? std::string_view{} : row->why;
}

}  // namespace cowvet::matrix
