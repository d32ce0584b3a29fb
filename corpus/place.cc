#include "corpus/place.h"

#include "corpus/words.h"

namespace cowvet::corpus {
namespace {

// What follows the name of a kind.
enum class Takes : std::uint8_t { nothing, number, name, name_and_number };

struct KindRow {
  std::string_view spelling;
  PlaceKind kind;
  Takes takes;
  bool of_snapshot;  // may be followed by @ID
};

constexpr KindRow kKinds[] = {
    {"header", PlaceKind::header, Takes::nothing, false},
    {"extension", PlaceKind::extension, Takes::name, false},
    {"backing-name", PlaceKind::backing_name, Takes::nothing, false},
    {"l1", PlaceKind::l1_table, Takes::nothing, true},
    {"l1-entry", PlaceKind::l1_entry, Takes::number, true},
    {"l2", PlaceKind::l2_table, Takes::number, true},
    {"l2-entry", PlaceKind::l2_entry, Takes::number, true},
    {"guest", PlaceKind::guest_cluster, Takes::number, true},
    {"refcount-table", PlaceKind::refcount_table, Takes::nothing, false},
    {"refcount-table-entry", PlaceKind::refcount_table_entry, Takes::number, false},
    {"refcount-block", PlaceKind::refcount_block, Takes::number, false},
    {"snapshot-table", PlaceKind::snapshot_table, Takes::nothing, false},
    {"snapshot", PlaceKind::snapshot_entry, Takes::name, false},
    {"bitmap-directory", PlaceKind::bitmap_directory, Takes::nothing, false},
    {"bitmap", PlaceKind::bitmap_entry, Takes::name, false},
    {"bitmap-table", PlaceKind::bitmap_table, Takes::name, false},
    {"bitmap-table-entry", PlaceKind::bitmap_table_entry, Takes::name_and_number, false},
    {"bitmap-data", PlaceKind::bitmap_data, Takes::name_and_number, false},
    {"luks", PlaceKind::luks, Takes::nothing, false},
    {"leak", PlaceKind::leak, Takes::number, false},
    {"cluster", PlaceKind::cluster, Takes::number, false},
    {"next-cluster", PlaceKind::next_cluster, Takes::nothing, false},
    {"file-end", PlaceKind::file_end, Takes::nothing, false},
    {"virtual-size", PlaceKind::virtual_size, Takes::nothing, false},
    {"cluster-size", PlaceKind::cluster_size, Takes::nothing, false},
};

std::optional<NamedPlace> parse_named(std::string_view text) {
  NamedPlace place;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    place.snapshot = text.substr(at + 1);
    if (place.snapshot.empty()) return std::nullopt;
    text = text.substr(0, at);
  }
  const std::size_t colon = text.find(':');
  const std::string_view spelling = text.substr(0, colon);
  std::string_view argument = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  for (const KindRow& row : kKinds) {
    if (row.spelling != spelling) continue;
    if (!place.snapshot.empty() && !row.of_snapshot) return std::nullopt;
    if ((row.takes == Takes::nothing) != (colon == std::string_view::npos)) return std::nullopt;
    place.kind = row.kind;
    std::string_view number = argument;
    if (row.takes == Takes::name_and_number) {
      const auto second = argument.rfind(':');
      if (second == std::string_view::npos) return std::nullopt;
      number = argument.substr(second + 1);
      argument = argument.substr(0, second);
    }
    if (row.takes == Takes::name || row.takes == Takes::name_and_number) place.name = argument;
    if (row.takes == Takes::number || row.takes == Takes::name_and_number) {
      const auto value = parse_number(number);
      if (!value) return std::nullopt;
      place.number = *value;
    }
    return place;
  }
  return std::nullopt;
}

std::optional<Term> parse_term(std::string_view text) {
  if (const auto number = parse_number(text)) return Term{.number = *number, .place = {}};
  if (auto place = parse_named(text)) return Term{.place = std::move(place)};
  return std::nullopt;
}

// The position of the next operator at or after `from`.
std::size_t find_operator(std::string_view text, std::size_t from) {
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] == '+') return i;
    if (text[i] == '-' && i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9') return i;
  }
  return text.size();
}

}  // namespace

std::optional<Expression> parse_expression(std::string_view text) {
  Expression expression{std::string(text), {}};
  bool negative = false;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = find_operator(text, begin);
    auto term = parse_term(text.substr(begin, end - begin));
    if (!term) return std::nullopt;
    term->negative = negative;
    expression.terms.push_back(*std::move(term));
    if (end == text.size()) return expression;
    negative = text[end] == '-';
    begin = end + 1;
  }
  return std::nullopt;
}

std::string place_spellings() {
  std::string out;
  for (const KindRow& row : kKinds) {
    if (!out.empty()) out += ' ';
    out += row.spelling;
    if (row.takes == Takes::number) out += ":N";
    if (row.takes == Takes::name) out += ":NAME";
    if (row.takes == Takes::name_and_number) out += ":NAME:N";
  }
  return out;
}

}  // namespace cowvet::corpus
