#include "checker/planning/plan_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>

namespace cowvet {
namespace {

using Json = nlohmann::ordered_json;

// What cannot be a plan; caught in read_plan, which knows the line.
struct NotAPlan : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    text += kDigits[static_cast<unsigned>(b) >> 4];
    text += kDigits[static_cast<unsigned>(b) & 15];
  }
  return text;
}

std::string encode_bytes(std::span<const std::byte> bytes) {
  for (const std::size_t unit : {1, 2, 4, 8}) {
    if (bytes.size() <= 2 * unit || bytes.size() % unit != 0) continue;
    if (std::equal(bytes.begin() + static_cast<std::ptrdiff_t>(unit), bytes.end(), bytes.begin()))
      return fmt::format("{}*{}", to_hex(bytes.first(unit)), bytes.size() / unit);
  }
  return to_hex(bytes);
}

std::byte digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<std::byte>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<std::byte>(digit - 'a' + 10);
  throw NotAPlan("bytes are not hexadecimal");
}

std::vector<std::byte> decode_bytes(const std::string& text) {
  constexpr std::size_t kMost = std::size_t{1} << 32;  // of one write
  const std::size_t star = text.find('*');
  const std::string hex = text.substr(0, star);
  if (hex.size() % 2 != 0) throw NotAPlan("an odd number of hexadecimal digits");
  std::vector<std::byte> unit;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    unit.push_back(digit_value(hex[i]) << 4 | digit_value(hex[i + 1]));
  if (star == std::string::npos) return unit;
  const std::string times = text.substr(star + 1);
  if (unit.empty() || times.empty() || times.size() > 10 ||
      times.find_first_not_of("0123456789") != std::string::npos)
    throw NotAPlan("a repetition is not of the form HEX*COUNT");
  const std::size_t count = std::stoull(times);
  if (count > kMost / unit.size()) throw NotAPlan("a write is larger than 4 GiB");
  std::vector<std::byte> bytes;
  bytes.reserve(unit.size() * count);
  for (std::size_t i = 0; i < count; ++i) bytes.insert(bytes.end(), unit.begin(), unit.end());
  return bytes;
}

// Names in an image may hold any bytes; JSON text is UTF-8.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// JSON knows other numbers, too: fractions, negative ones, and some that are too large for any file.
std::uint64_t number(const Json& json, const char* key) {
  const Json& value = json.at(key);
  if (!value.is_number_unsigned()) throw NotAPlan(fmt::format("{} is not a whole number", key));
  return value;
}

Json encode_binding(const Binding& binding) {
  Json json{{"path", binding.path}, {"size", binding.size_bytes}, {"metadata-hash", binding.metadata_hash}};
  if (binding.identity) {
    json["device"] = binding.identity->device;
    json["inode"] = binding.identity->inode;
  }
  return json;
}

Binding decode_binding(const Json& json) {
  Binding binding{.path = json.at("path"),
                  .size_bytes = number(json, "size"),
                  .metadata_hash = number(json, "metadata-hash")};
  if (json.contains("inode")) binding.identity = FileIdentity{number(json, "device"), number(json, "inode")};
  return binding;
}

Json encode_step(const Step& step, std::size_t number) {
  Json json{{"step", number},
            {"rule", step.rule->id},
            {"remedy", to_string(step.remedy)},
            {"outcome", step.outcome},
            {"why", step.why},
            {"phase", step.phase == Phase::structures ? "structures" : "pointers"},
            {"count", step.count},
            {"impact", Json::array()},
            {"writes", Json::array()}};
  for (const GuestImpact& impact : step.impact)
    json["impact"].push_back({{"offset", impact.range.offset},
                              {"length", impact.range.length},
                              {"owner", impact.owner},
                              {"before", impact.before},
                              {"after", impact.after}});
  for (const Write& write : step.writes)
    json["writes"].push_back({{"target", to_string(write.target)},
                              {"offset", write.offset},
                              {"old", encode_bytes(write.old_bytes)},
                              {"new", encode_bytes(write.new_bytes)}});
  return json;
}

RuleId decode_rule(const std::string& id) {
  const std::uint16_t row = find_rule(id);
  if (row == kRuleCount) throw NotAPlan("unknown rule " + id);
  return RuleId(row);
}

Remedy decode_remedy(const std::string& name) {
  for (const Remedy remedy : {Remedy::none, Remedy::safe, Remedy::metadata, Remedy::choice, Remedy::lossy})
    if (to_string(remedy) == name) return remedy;
  throw NotAPlan("unknown remedy class " + name);
}

Write decode_write(const Json& json) {
  const std::string target = json.at("target");
  if (target != "image" && target != "data-file") throw NotAPlan("unknown target " + target);
  Write write{.target = target == "image" ? File::image : File::data_file,
              .offset = number(json, "offset"),
              .old_bytes = decode_bytes(json.at("old")),
              .new_bytes = decode_bytes(json.at("new"))};
  if (write.old_bytes.size() != write.new_bytes.size()) throw NotAPlan("old and new bytes differ in length");
  return write;
}

Step decode_step(const Json& json) {
  const std::string phase = json.at("phase");
  if (phase != "structures" && phase != "pointers") throw NotAPlan("unknown phase " + phase);
  Step step{.rule = decode_rule(json.at("rule")),
            .remedy = decode_remedy(json.at("remedy")),
            .outcome = json.at("outcome"),
            .why = json.at("why"),
            .phase = phase == "structures" ? Phase::structures : Phase::pointers,
            .count = number(json, "count")};
  for (const Json& impact : json.at("impact"))
    step.impact.push_back({{number(impact, "offset"), number(impact, "length")},
                           impact.at("owner"),
                           impact.at("before"),
                           impact.at("after")});
  for (const Json& write : json.at("writes")) step.writes.push_back(decode_write(write));
  return step;
}

void decode_head(const Json& json, Plan& plan) {
  if (json.at("plan") != 1) throw NotAPlan("a plan of another version");
  plan.deep = json.at("deep");
  plan.image = decode_binding(json.at("image"));
  if (json.contains("data-file")) plan.data_file = decode_binding(json.at("data-file"));
  plan.image_bytes_after = number(json, "image-size-after");
  plan.data_file_bytes_after = number(json, "data-file-size-after");
}

void decode_end(const Json& json, Plan& plan) {
  if (json.at("steps") != plan.steps.size()) throw NotAPlan("steps are missing");
  for (const Json& total : json.at("remaining"))
    plan.remaining.push_back(
        {decode_rule(total.at("rule")), number(total, "findings"), number(total, "total")});
  plan.consent_needed = json.at("consent-needed").get<std::vector<std::string>>();
  plan.unfit = json.at("unfit");
}

}  // namespace

void write_plan(const Plan& plan, std::ostream& out) {
  Json head{{"plan", 1}, {"deep", plan.deep}, {"image", encode_binding(plan.image)}};
  if (plan.data_file) head["data-file"] = encode_binding(*plan.data_file);
  head["image-size-after"] = plan.image_bytes_after;
  head["data-file-size-after"] = plan.data_file_bytes_after;
  out << dump(head) << '\n';
  for (std::size_t i = 0; i < plan.steps.size(); ++i) out << dump(encode_step(plan.steps[i], i + 1)) << '\n';
  Json end{{"end", true}, {"steps", plan.steps.size()}, {"remaining", Json::array()}};
  for (const RuleTotal& total : plan.remaining)
    end["remaining"].push_back(
        {{"rule", total.rule->id}, {"findings", total.findings}, {"total", total.total}});
  end["consent-needed"] = plan.consent_needed;
  end["unfit"] = plan.unfit;
  out << dump(end) << '\n';
}

std::expected<Plan, std::string> read_plan(std::istream& in) {
  Plan plan;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    try {
      const Json json = Json::parse(line);
      if (number == 1) {
        decode_head(json, plan);
      } else if (json.contains("end")) {
        decode_end(json, plan);
        return plan;
      } else {
        if (json.at("step") != plan.steps.size() + 1) throw NotAPlan("a step is missing");
        plan.steps.push_back(decode_step(json));
      }
    } catch (const NotAPlan& error) {
      return std::unexpected(fmt::format("line {}: {}", number, error.what()));
    } catch (const Json::exception& error) {
      return std::unexpected(fmt::format("line {}: {}", number, error.what()));
    }
  }
  return std::unexpected(std::string("the plan ends before its last line"));
}

}  // namespace cowvet
