#include "corpus/words.h"

#include <charconv>

namespace cowvet::corpus {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

constexpr std::size_t kMaxRepeatedBytes = 1 << 20;

// Reads one word from `line` at `at`.
class WordReader {
 public:
  WordReader(std::string_view line, std::size_t& at) : line_(line), at_(at) {}

  // The error is a message.
  std::expected<Word, std::string> read() {
    const std::size_t begin = at_;
    read_key();
    if (at_ < line_.size() && line_[at_] == '"') {
      if (auto problem = read_quoted()) return std::unexpected(*problem);
    } else {
      while (at_ < line_.size() && !is_blank(line_[at_])) word_.value += line_[at_++];
    }
    word_.source = line_.substr(begin, at_ - begin);
    return word_;
  }

 private:
  void read_key() {
    std::size_t end = at_;
    while (end < line_.size() && is_key_char(line_[end])) ++end;
    if (end == at_ || end == line_.size()) return;
    std::string key(line_.substr(at_, end - at_));
    Operator op = Operator::assign;
    if (line_[end] == '+' || line_[end] == '|') {
      op = line_[end] == '+' ? Operator::add : Operator::set_bits;
      ++end;
    } else if (key.ends_with('-')) {
      op = Operator::subtract;
      key.pop_back();
    }
    if (key.empty() || end == line_.size() || line_[end] != '=') return;
    word_.key = std::move(key);
    word_.op = op;
    at_ = end + 1;
  }

  std::optional<std::string> read_quoted() {
    word_.quoted = true;
    for (++at_; at_ < line_.size() && line_[at_] != '"'; ++at_)
      if (line_[at_] != '\\')
        word_.value += line_[at_];
      else if (!read_escape())
        return R"(after \ comes one of " \ n or xNN)";
    if (at_ == line_.size()) return "the closing quote is missing";
    ++at_;
    if (at_ < line_.size() && line_[at_] == '*') return read_repetition();
    if (at_ < line_.size() && !is_blank(line_[at_])) return "a blank must follow the closing quote";
    return std::nullopt;
  }

  bool read_escape() {
    if (++at_ == line_.size()) return false;
    const char c = line_[at_];
    if (c == '"' || c == '\\')
      word_.value += c;
    else if (c == 'n')
      word_.value += '\n';
    else if (c == 'x') {
      const auto byte = parse_hex(line_.substr(at_ + 1, 2));
      if (!byte || byte->empty()) return false;
      word_.value += static_cast<char>(byte->front());
      at_ += 2;
    } else {
      return false;
    }
    return true;
  }

  std::optional<std::string> read_repetition() {
    const std::size_t begin = ++at_;
    while (at_ < line_.size() && !is_blank(line_[at_])) ++at_;
    const auto times = parse_number(line_.substr(begin, at_ - begin));
    if (!times || *times * word_.value.size() > kMaxRepeatedBytes || *times > kMaxRepeatedBytes)
      return "a number of repetitions is expected after *";
    const std::string once = std::move(word_.value);
    word_.value.clear();
    for (std::uint64_t i = 0; i < *times; ++i) word_.value += once;
    return std::nullopt;
  }

  std::string_view line_;
  std::size_t& at_;
  Word word_;
};

}  // namespace

std::expected<std::vector<Word>, RecipeError> split_line(std::string_view line, const Where& where) {
  std::vector<Word> words;
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at == line.size() || line[at] == '#') return words;
    const std::size_t begin = at;
    auto word = WordReader(line, at).read();
    if (!word) return std::unexpected(RecipeError{where, std::string(line.substr(begin)), word.error()});
    words.push_back(*std::move(word));
  }
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  int base = 10;
  unsigned shift = 0;
  if (text.starts_with("0x")) {
    base = 16;
    text.remove_prefix(2);
  } else if (!text.empty()) {
    constexpr std::string_view kSuffixes = "KMGTP";
    if (const auto suffix = kSuffixes.find(text.back()); suffix != std::string_view::npos) {
      shift = 10 * static_cast<unsigned>(suffix + 1);
      text.remove_suffix(1);
    }
  }
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (shift != 0 && value >> (64 - shift) != 0) return std::nullopt;
  return value << shift;
}

std::optional<std::vector<std::byte>> parse_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    const char* end = text.data() + i + 2;
    const auto [stop, problem] = std::from_chars(text.data() + i, end, value, 16);
    if (problem != std::errc{} || stop != end) return std::nullopt;
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

}  // namespace cowvet::corpus
