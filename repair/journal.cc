#include "repair/journal.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "checker/analysis/bytes.h"
#include "checker/format/endian.h"
#include "checker/format/units.h"
#include "repair/byte_stream.h"

namespace cowvet {
namespace {

constexpr std::uint32_t kHeaderKind = 0x4357564a;  // "CWVJ"
constexpr std::uint32_t kChangeKind = 0x43484e47;  // "CHNG"
constexpr std::uint32_t kMarkKind = 0x4d41524b;    // "MARK"
constexpr std::size_t kRecordHeadBytes = 16;
constexpr std::size_t kChangeHeadBytes = 10;
constexpr std::uint32_t kMostPayloadBytes = kChangeHeadBytes + 2 * kMostChangeBytes;

std::uint64_t checksum_of(std::span<const std::byte> payload, std::uint64_t seed) {
  return XXH3_64bits_withSeed(payload.data(), payload.size(), seed);
}

void put_file(ByteSink& out, const ChangedFile& file) {
  out.put_text(file.path);
  out.put(static_cast<std::uint8_t>(file.identity.has_value()));
  out.put(file.identity.value_or(FileIdentity{}).device);
  out.put(file.identity.value_or(FileIdentity{}).inode);
  out.put(file.old_size_bytes);
  out.put(file.new_size_bytes);
  out.put(file.bound_hash);
}

ChangedFile take_file(ByteSource& in) {
  ChangedFile file{.path = in.take_text()};
  const bool has_identity = in.take<std::uint8_t>() != 0;
  FileIdentity identity;
  identity.device = in.take<std::uint64_t>();
  identity.inode = in.take<std::uint64_t>();
  if (has_identity) file.identity = identity;
  file.old_size_bytes = in.take<std::uint64_t>();
  file.new_size_bytes = in.take<std::uint64_t>();
  file.bound_hash = in.take<std::uint64_t>();
  return file;
}

// Records without their heads, for which there is room.
std::vector<std::byte> encode_header_record(const Journal& journal) {
  ByteSink out{std::vector<std::byte>(kRecordHeadBytes)};
  out.put(journal.id);
  out.put(std::span<const std::byte>(journal.boot_id));
  put_file(out, journal.changes.image);
  out.put(static_cast<std::uint8_t>(journal.changes.data_file.has_value()));
  if (journal.changes.data_file) put_file(out, *journal.changes.data_file);
  out.put_text(journal.changes.note);
  return std::move(out.bytes);
}

bool decode_header_payload(std::span<const std::byte> payload, Journal& journal) {
  ByteSource in(payload);
  journal.id = in.take<std::uint64_t>();
  std::ranges::copy(in.take_bytes(journal.boot_id.size()), journal.boot_id.begin());
  journal.changes.image = take_file(in);
  if (in.take<std::uint8_t>() != 0) journal.changes.data_file = take_file(in);
  journal.changes.note = in.take_text();
  return in.is_done();
}

std::expected<std::vector<std::byte>, std::string> encode_change_record(const Change& change,
                                                                        const ChangeBytes& bytes) {
  constexpr std::size_t kBytesBegin = kRecordHeadBytes + kChangeHeadBytes;
  ByteSink out;
  out.bytes.reserve(kBytesBegin + 2 * change.length);
  out.bytes.resize(kRecordHeadBytes);
  out.put(static_cast<std::uint8_t>(change.target));
  out.put(static_cast<std::uint8_t>(change.phase));
  out.put(change.offset);
  out.bytes.resize(kBytesBegin + 2 * change.length);
  const std::span both = std::span(out.bytes).subspan(kBytesBegin);
  auto done = bytes.read(change, Side::old_bytes, both.first(change.length));
  if (done) done = bytes.read(change, Side::new_bytes, both.subspan(change.length));
  if (!done) return std::unexpected(done.error());
  return std::move(out.bytes);
}

// Whether a change is one that this program can have written: what is applied is never larger than the file.
bool is_plausible(const Change& change, const Changes& all) {
  const ChangedFile* file = &all.image;
  if (change.target == File::data_file) file = all.data_file ? &*all.data_file : nullptr;
  if (file == nullptr || change.target > File::data_file || change.phase > Phase::pointers) return false;
  if (change.offset % kBlockBytes != 0 || change.length == 0) return false;
  const std::uint64_t size = std::max(file->old_size_bytes, file->new_size_bytes);
  if (!fits_in(change.offset, change.length, size)) return false;
  if (all.changes.empty()) return true;
  const Change& last = all.changes.back();
  return last.target < change.target ||
         (last.target == change.target && last.offset + last.length <= change.offset);
}

// `place`: of the payload, in the journal.
bool decode_change_payload(std::span<const std::byte> payload, std::uint64_t place, Changes& changes) {
  ByteSource in(payload);
  Change change;
  change.target = static_cast<File>(in.take<std::uint8_t>());
  change.phase = static_cast<Phase>(in.take<std::uint8_t>());
  change.offset = in.take<std::uint64_t>();
  const auto bytes = in.take_bytes(payload.size() - std::min(payload.size(), kChangeHeadBytes));
  if (!in.is_done() || bytes.size() % 2 != 0) return false;
  change.length = bytes.size() / 2;
  change.place = place + kChangeHeadBytes;
  if (!is_plausible(change, changes)) return false;
  changes.changes.push_back(change);
  return true;
}

// The digest of a journal's records, from that of the records before the last one.
std::uint64_t add_to_digest(std::uint64_t digest, std::uint64_t checksum) {
  std::byte bytes[sizeof checksum];
  store_big_endian(bytes, checksum);
  return checksum_of(bytes, digest);
}

// Fills in the head of a record whose payload is there; its checksum.
std::uint64_t complete_record(std::uint32_t kind, std::span<std::byte> record, std::uint64_t seed) {
  const auto payload = record.subspan(kRecordHeadBytes);
  const std::uint64_t checksum = checksum_of(payload, seed);
  store_big_endian(record.data(), kind);
  store_big_endian(record.data() + 4, static_cast<std::uint32_t>(payload.size()));
  store_big_endian(record.data() + 8, checksum);
  return checksum;
}

bool is_zero(std::span<const std::byte> bytes) {
  return leading_zeros(bytes) == bytes.size();
}

// Old and new bytes of a change, one behind the other.
class JournalBytes final : public ChangeBytes {
 public:
  explicit JournalBytes(const Device& device) : device_(device) {}

  std::expected<void, std::string> read(const Change& change, Side side,
                                        std::span<std::byte> out) const override {
    const std::uint64_t place = change.place + (side == Side::old_bytes ? 0 : change.length);
    if (auto read = device_.read(place, out); !read)
      return std::unexpected(describe_io_error("read", device_.name(), read.error()));
    return {};
  }

 private:
  const Device& device_;
};

struct Record {
  std::uint32_t kind = 0;
  std::uint64_t checksum = 0;
  std::vector<std::byte> payload;
};

struct Mark {
  JournalSeal seal;
  JournalStage stage = JournalStage::unsealed;
};

std::optional<Mark> decode_mark(std::span<const std::byte> block) {
  ByteSource in(block);
  const auto kind = in.take<std::uint32_t>();
  const auto length = in.take<std::uint32_t>();
  const auto checksum = in.take<std::uint64_t>();
  const auto payload = in.take_bytes(length);
  if (!in.is_good() || block.size() != kBlockBytes || kind != kMarkKind ||
      checksum != checksum_of(payload, 0))
    return std::nullopt;
  if (!is_zero(block.subspan(kRecordHeadBytes + length))) return std::nullopt;
  ByteSource fields(payload);
  Mark mark;
  mark.seal.id = fields.take<std::uint64_t>();
  mark.stage = static_cast<JournalStage>(fields.take<std::uint8_t>());
  mark.seal.changes = fields.take<std::uint64_t>();
  mark.seal.digest = fields.take<std::uint64_t>();
  if (!fields.is_done() || mark.stage < JournalStage::sealed || mark.stage > JournalStage::committed)
    return std::nullopt;
  return mark;
}

// Goes through a journal from front to back.
class Reader {
 public:
  explicit Reader(const Device& device) : device_(device) {}

  std::expected<Journal, std::string> read() {
    Journal journal;
    const bool has_records = read_records(journal);
    const bool has_seal = has_records && read_marks(journal);
    if (error_) return std::unexpected(describe_io_error("read", device_.name(), *error_));
    if (!has_seal) {
      // Marks are written only once all before them is durable: with a mark, what is missing was lost later.
      if (has_any_mark()) return std::unexpected(fmt::format("{} is damaged", device_.name()));
      if (error_) return std::unexpected(describe_io_error("read", device_.name(), *error_));
      return Journal{};
    }
    journal.changes.bytes = std::make_shared<JournalBytes>(device_);
    journal.end_bytes = offset_;
    journal.has_tail = offset_ < device_.size_bytes();
    return journal;
  }

 private:
  // Header and changes, as far as they are valid.
  bool read_records(Journal& journal) {
    auto header = peek_record();
    if (!header || header->kind != kHeaderKind || header->checksum != checksum_of(header->payload, 0) ||
        !decode_header_payload(header->payload, journal))
      return false;
    accept(*header);
    for (std::uint64_t number = 1;; ++number) {
      const auto record = peek_record();
      if (!record || record->kind != kChangeKind ||
          record->checksum != checksum_of(record->payload, journal.id + number) ||
          !decode_change_payload(record->payload, offset_ + kRecordHeadBytes, journal.changes))
        break;
      accept(*record);
    }
    const std::uint64_t end = divide_up(offset_, kBlockBytes) * kBlockBytes;
    const bool is_padded = is_zero(bytes_at(offset_, end - offset_));
    offset_ = end;
    return is_padded;
  }

  bool read_marks(Journal& journal) {
    journal.seal = {journal.id, journal.changes.changes.size(), digest_};
    for (;;) {
      const auto mark = decode_mark(bytes_at(offset_, kBlockBytes));
      const bool is_first = journal.stage == JournalStage::unsealed;
      if (!mark || mark->seal != journal.seal || is_first != (mark->stage == JournalStage::sealed))
        return !is_first;
      journal.stage = mark->stage;
      offset_ += kBlockBytes;
    }
  }

  // Whether there is a mark of any journal in the file.
  bool has_any_mark() {
    for (std::uint64_t at = 0; at < device_.size_bytes() && !error_; at += kBlockBytes) {
      at = device_.next_data(at).begin / kBlockBytes * kBlockBytes;
      if (decode_mark(bytes_at(at, kBlockBytes))) return true;
    }
    return false;
  }

  std::optional<Record> peek_record() {
    const auto head = bytes_at(offset_, kRecordHeadBytes);
    ByteSource in(head);
    Record record{.kind = in.take<std::uint32_t>()};
    const auto length = in.take<std::uint32_t>();
    record.checksum = in.take<std::uint64_t>();
    if (!in.is_good() || length > kMostPayloadBytes) return std::nullopt;
    record.payload = bytes_at(offset_ + kRecordHeadBytes, length);
    if (record.payload.size() != length) return std::nullopt;
    return record;
  }

  void accept(const Record& record) {
    digest_ = add_to_digest(digest_, record.checksum);
    offset_ += kRecordHeadBytes + record.payload.size();
  }

  // Fewer where the file ends, none where it cannot be read.
  std::vector<std::byte> bytes_at(std::uint64_t offset, std::uint64_t length) {
    const std::uint64_t size = device_.size_bytes();
    std::vector<std::byte> bytes(offset < size ? std::min(length, size - offset) : 0);
    if (const auto read = device_.read(offset, bytes); !read) {
      if (!error_) error_ = read.error();
      return {};
    }
    return bytes;
  }

  const Device& device_;
  std::uint64_t offset_ = 0;
  std::uint64_t digest_ = 0;
  std::optional<IoError> error_;
};

}  // namespace

std::expected<JournalSeal, std::string> encode_journal(const Journal& journal, const JournalSink& sink) {
  using Done = std::expected<void, std::string>;
  JournalSeal seal{journal.id, journal.changes.changes.size(), 0};
  std::uint64_t length = 0;
  const auto put = [&](std::uint32_t kind, std::vector<std::byte> record, std::uint64_t seed) -> Done {
    if (record.size() > kRecordHeadBytes + kMostPayloadBytes)
      return std::unexpected("a record of the journal would be too long");
    seal.digest = add_to_digest(seal.digest, complete_record(kind, record, seed));
    length += record.size();
    return sink(record);
  };
  if (auto done = put(kHeaderKind, encode_header_record(journal), 0); !done)
    return std::unexpected(done.error());
  std::uint64_t number = 0;
  for (const Change& change : journal.changes.changes) {
    auto record = encode_change_record(change, *journal.changes.bytes);
    if (!record) return std::unexpected(record.error());
    if (auto done = put(kChangeKind, std::move(*record), journal.id + ++number); !done)
      return std::unexpected(done.error());
  }
  const std::vector<std::byte> padding(divide_up(length, kBlockBytes) * kBlockBytes - length);
  if (auto done = sink(padding); !done) return std::unexpected(done.error());
  return seal;
}

std::vector<std::byte> encode_mark(const JournalSeal& seal, JournalStage stage) {
  ByteSink record{std::vector<std::byte>(kRecordHeadBytes)};
  record.put(seal.id);
  record.put(static_cast<std::uint8_t>(stage));
  record.put(seal.changes);
  record.put(seal.digest);
  complete_record(kMarkKind, record.bytes, 0);
  record.bytes.resize(kBlockBytes);
  return std::move(record.bytes);
}

std::expected<Journal, std::string> read_journal(const Device& device) {
  return Reader(device).read();
}

}  // namespace cowvet
