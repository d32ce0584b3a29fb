#include "corpus/fields.h"

#include <vector>

#include "checker/format/bitmap.h"
#include "checker/format/entries.h"
#include "checker/format/extensions.h"
#include "checker/format/luks.h"
#include "checker/format/snapshot.h"

namespace cowvet::corpus {
namespace {

using enum Field::Type;

#define COWVET_FIELD(structure, member)                             \
  Field {                                                           \
    #member, offsetof(structure, member), sizeof(structure::member) \
  }
#define COWVET_BYTES(structure, member)                                    \
  Field {                                                                  \
    #member, offsetof(structure, member), sizeof(structure::member), bytes \
  }

constexpr Field kHeaderFields[] = {
    COWVET_FIELD(RawHeader, magic),
    COWVET_FIELD(RawHeader, version),
    COWVET_FIELD(RawHeader, backing_file_offset),
    COWVET_FIELD(RawHeader, backing_file_size),
    COWVET_FIELD(RawHeader, cluster_bits),
    COWVET_FIELD(RawHeader, size),
    COWVET_FIELD(RawHeader, crypt_method),
    COWVET_FIELD(RawHeader, l1_size),
    COWVET_FIELD(RawHeader, l1_table_offset),
    COWVET_FIELD(RawHeader, refcount_table_offset),
    COWVET_FIELD(RawHeader, refcount_table_clusters),
    COWVET_FIELD(RawHeader, nb_snapshots),
    COWVET_FIELD(RawHeader, snapshots_offset),
    COWVET_FIELD(RawHeader, incompatible_features),
    COWVET_FIELD(RawHeader, compatible_features),
    COWVET_FIELD(RawHeader, autoclear_features),
    COWVET_FIELD(RawHeader, refcount_order),
    COWVET_FIELD(RawHeader, header_length),
    COWVET_FIELD(RawHeader, compression_type),
    COWVET_BYTES(RawHeader, padding),
};

constexpr std::size_t kHead = sizeof(RawExtensionHead);
constexpr Field kExtensionFields[] = {
    {"type", offsetof(RawExtensionHead, type), 4},
    {"data_length", offsetof(RawExtensionHead, length_bytes), 4},
    {"nb_bitmaps", kHead + offsetof(RawBitmapsExtension, nb_bitmaps), 4},
    {"reserved", kHead + offsetof(RawBitmapsExtension, reserved), 4},
    {"bitmap_directory_size", kHead + offsetof(RawBitmapsExtension, bitmap_directory_size), 8},
    {"bitmap_directory_offset", kHead + offsetof(RawBitmapsExtension, bitmap_directory_offset), 8},
    {"offset", kHead + offsetof(RawLuksPointer, offset), 8},
    {"length", kHead + offsetof(RawLuksPointer, length), 8},
};

constexpr Field kFeatureNameFields[] = {
    COWVET_FIELD(RawFeatureName, type),
    COWVET_FIELD(RawFeatureName, bit),
    COWVET_BYTES(RawFeatureName, name),
};

constexpr Field kL1Fields[] = {
    {"raw"},
    {"offset", 0, 8, number, kOffsetMask},
    {"copied", 0, 8, number, kCopied, 63},
    {"reserved", 0, 8, number, L1Entry::kReserved},
};

constexpr Field kL2Fields[] = {
    {"raw"},
    {"offset", 0, 8, number, kOffsetMask},
    {"copied", 0, 8, number, kCopied, 63},
    {"compressed", 0, 8, number, kCompressed, 62},
    {"zero", 0, 8, number, L2Entry::kZero},
    {"reserved", 0, 8, number, L2Entry::kReserved},
    {"subclusters", 8},
    {"subclusters_allocated", 8, 8, number, 0x00000000ffffffff},
    {"subclusters_zero", 8, 8, number, 0xffffffff00000000, 32},
};

constexpr Field kRefcountTableFields[] = {
    {"raw"},
    {"offset", 0, 8, number, ~RefcountTableEntry::kReserved},
    {"reserved", 0, 8, number, RefcountTableEntry::kReserved},
};

constexpr std::size_t kExtra = sizeof(RawSnapshotHead);
constexpr Field kSnapshotFields[] = {
    COWVET_FIELD(RawSnapshotHead, l1_table_offset),
    COWVET_FIELD(RawSnapshotHead, l1_size),
    COWVET_FIELD(RawSnapshotHead, id_size),
    COWVET_FIELD(RawSnapshotHead, name_size),
    COWVET_FIELD(RawSnapshotHead, date_seconds),
    COWVET_FIELD(RawSnapshotHead, date_nanoseconds),
    COWVET_FIELD(RawSnapshotHead, vm_clock_nanoseconds),
    {"vm_state_size_32", offsetof(RawSnapshotHead, vm_state_size), 4},
    COWVET_FIELD(RawSnapshotHead, extra_data_size),
    {"vm_state_size", kExtra + offsetof(RawSnapshotExtra, vm_state_size), 8},
    {"disk_size", kExtra + offsetof(RawSnapshotExtra, disk_size), 8},
    {"icount", kExtra + offsetof(RawSnapshotExtra, icount), 8},
    // Their place follows from the entry; see damage.cc.
    {"id", 0, 0, bytes},
    {"name", 0, 0, bytes},
};

constexpr Field kBitmapFields[] = {
    COWVET_FIELD(RawBitmapHead, bitmap_table_offset),
    COWVET_FIELD(RawBitmapHead, bitmap_table_size),
    COWVET_FIELD(RawBitmapHead, flags),
    COWVET_FIELD(RawBitmapHead, type),
    COWVET_FIELD(RawBitmapHead, granularity_bits),
    COWVET_FIELD(RawBitmapHead, name_size),
    COWVET_FIELD(RawBitmapHead, extra_data_size),
    {"name", 0, 0, bytes},
    {"padding", 0, 0, bytes},
};

constexpr Field kBitmapTableFields[] = {
    {"raw"},
    {"offset", 0, 8, number, kOffsetMask},
    {"all_ones", 0, 8, number, BitmapTableEntry::kAllOnes},
    {"reserved", 0, 8, number, BitmapTableEntry::kReserved},
};

constexpr Field kLuksFields[] = {
    COWVET_BYTES(RawLuksHeader, magic),       COWVET_FIELD(RawLuksHeader, version),
    COWVET_BYTES(RawLuksHeader, cipher_name), COWVET_BYTES(RawLuksHeader, cipher_mode),
    COWVET_BYTES(RawLuksHeader, hash_spec),   COWVET_FIELD(RawLuksHeader, payload_sector),
    COWVET_FIELD(RawLuksHeader, key_bytes),   COWVET_BYTES(RawLuksHeader, digest),
    COWVET_BYTES(RawLuksHeader, salt),        COWVET_FIELD(RawLuksHeader, iterations),
    COWVET_BYTES(RawLuksHeader, uuid),
};

constexpr Field kLuksSlotFields[] = {
    COWVET_FIELD(RawLuksKeySlot, active),  COWVET_FIELD(RawLuksKeySlot, iterations),
    COWVET_BYTES(RawLuksKeySlot, salt),    COWVET_FIELD(RawLuksKeySlot, key_material_sector),
    COWVET_FIELD(RawLuksKeySlot, stripes),
};

constexpr Field kRefcountFields[] = {{"value"}};

#undef COWVET_FIELD
#undef COWVET_BYTES

std::vector<Field> compressed_fields(unsigned cluster_bits) {
  const unsigned x = compressed_offset_bits(cluster_bits);
  const std::uint64_t offset_mask = (std::uint64_t{1} << x) - 1;
  return {{"compressed_offset", 0, 8, number, offset_mask},
          {"additional_sectors", 0, 8, number, (kCompressed - 1) & ~offset_mask, x}};
}

std::span<const Field> fixed_fields(Target target) {
  switch (target) {
    case Target::header:
      return kHeaderFields;
    case Target::extension:
      return kExtensionFields;
    case Target::feature_name:
      return kFeatureNameFields;
    case Target::l1:
      return kL1Fields;
    case Target::l2:
      return kL2Fields;
    case Target::refcount:
      return kRefcountFields;
    case Target::refcount_table:
      return kRefcountTableFields;
    case Target::snapshot:
      return kSnapshotFields;
    case Target::bitmap:
      return kBitmapFields;
    case Target::bitmap_table:
      return kBitmapTableFields;
    case Target::luks:
      return kLuksFields;
    case Target::luks_slot:
      return kLuksSlotFields;
  }
  return {};
}

std::uint64_t load_number(std::span<const std::byte> at) {
  std::uint64_t value = 0;
  for (const std::byte b : at) value = value << 8 | static_cast<std::uint8_t>(b);
  return value;
}

}  // namespace

std::vector<Field> fields_of(Target target, unsigned cluster_bits) {
  const auto fixed = fixed_fields(target);
  std::vector<Field> fields(fixed.begin(), fixed.end());
  if (target == Target::l2)
    for (const Field& field : compressed_fields(cluster_bits)) fields.push_back(field);
  return fields;
}

std::optional<Field> find_field(Target target, std::string_view name, unsigned cluster_bits) {
  for (const Field& field : fields_of(target, cluster_bits))
    if (field.name == name) return field;
  return std::nullopt;
}

std::string field_names(Target target) {
  std::string out;
  for (const Field& field : fields_of(target, 16)) {
    if (!out.empty()) out += ' ';
    out += field.name;
  }
  return out;
}

std::uint64_t load_field(const Field& field, std::span<const std::byte> structure) {
  return (load_number(structure.subspan(field.offset, field.width)) & field.mask) >> field.shift;
}

bool store_field(const Field& field, std::uint64_t value, std::span<std::byte> structure) {
  const std::uint64_t shifted = value << field.shift;
  if (shifted >> field.shift != value || (shifted & ~field.mask) != 0) return false;
  if (field.width < 8 && shifted >> (8 * field.width) != 0) return false;
  const auto at = structure.subspan(field.offset, field.width);
  std::uint64_t whole = (load_number(at) & ~field.mask) | shifted;
  for (std::size_t i = field.width; i-- > 0; whole >>= 8) at[i] = static_cast<std::byte>(whole);
  return true;
}

}  // namespace cowvet::corpus
