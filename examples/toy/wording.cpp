// SPDX-License-Identifier: Apache-2.0
#include "toy/wording.h"

#include <cctype>
#include <numeric>
#include <string_view>
#include <vector>

namespace lanerope::toy {

namespace {

struct Verb {
  std::string_view one;   // "buys", after one name
  std::string_view many;  // "buy", after two
};

struct Place {
  std::string_view where;  // "in", before the number of places
  std::string_view one;
  std::string_view many;
};

// What is told of, and in what it is counted: "pens" in pens, "rice" in kg.
struct Goods {
  std::string_view name;
  std::string_view unit;
};

constexpr std::string_view people[] = {
    "Eva",       "Tom",      "Mia",    "Leo",     "Ana",     "Ben",      "Zoe",        "Max",
    "Ida",       "Sam",      "Lea",    "Jon",     "Amy",     "Kai",      "Nora",       "Omar",
    "Lucy",      "Hugo",     "Rosa",   "Ivan",    "Maya",    "Paul",     "Lina",       "Erik",
    "Jane",      "Carl",     "Dana",   "Noah",    "Ruth",    "Alan",     "Vera",       "Finn",
    "Clara",     "Oscar",    "Alice",  "David",   "Elena",   "Peter",    "Sofia",      "Marco",
    "Hanna",     "Felix",    "Julia",  "Simon",   "Priya",   "Kenji",    "Yusuf",      "Irene",
    "A teacher", "A farmer", "A cook", "A clerk", "A guide", "The club", "The school", "The team"};

constexpr Verb trade_verbs[] = {
    {"buys", "buy"}, {"orders", "order"}, {"sells", "sell"}, {"gets", "get"}, {"finds", "find"}};
constexpr Verb handling_verbs[] = {{"counts", "count"},     {"packs", "pack"}, {"sorts", "sort"},
                                   {"collects", "collect"}, {"finds", "find"}, {"checks", "check"}};

constexpr Place trade_places[] = {{"in", "shop", "shops"},     {"in", "store", "stores"},
                                  {"at", "market", "markets"}, {"at", "stall", "stalls"},
                                  {"in", "town", "towns"},     {"on", "day", "days"},
                                  {"in", "week", "weeks"}};
constexpr Place handling_places[] = {
    {"in", "room", "rooms"}, {"in", "hall", "halls"},   {"on", "shelf", "shelves"}, {"in", "house", "houses"},
    {"on", "farm", "farms"}, {"in", "truck", "trucks"}, {"at", "camp", "camps"}};

constexpr std::string_view things[] = {"pens",  "apples", "books",   "cups",    "eggs",  "stamps", "coins",
                                       "balls", "plums",  "candles", "roses",   "nails", "cards",  "shells",
                                       "lamps", "plates", "keys",    "bulbs",   "toys",  "beads",  "spoons",
                                       "tiles", "mugs",   "figs",    "buttons", "corks", "lemons", "tickets"};
constexpr Goods stuffs[] = {{"rice", "kg"},     {"flour", "kg"},     {"sugar", "kg"},    {"corn", "kg"},
                            {"sand", "kg"},     {"salt", "pounds"},  {"tea", "pounds"},  {"wool", "pounds"},
                            {"milk", "litres"}, {"juice", "litres"}, {"oil", "litres"},  {"paint", "litres"},
                            {"rope", "metres"}, {"cable", "metres"}, {"cloth", "metres"}};

constexpr std::string_view thing_holders[] = {"boxes", "bags",    "crates", "packs", "trays",
                                              "tins",  "baskets", "cases",  "sets",  "piles"};
constexpr std::string_view weight_holders[] = {"boxes", "bags", "crates", "sacks", "bales"};
constexpr std::string_view liquid_holders[] = {"cans", "tins", "jugs", "tubs", "drums"};
constexpr std::string_view length_holders[] = {"rolls", "coils", "pieces", "reels"};

// In a form, # stands for the next number, @ for what holds the goods and $ for their unit.
constexpr std::string_view product_forms[] = {"# @ of # $",      "# @ with # $ each",
                                              "# @ of # $ each", "# @ holding # $ each",
                                              "# full @ of # $", "# @, each with # $"};
constexpr std::string_view plus_forms[] = {" plus # $",      " and # more $",   " plus # loose $",
                                           " and # extra $", " and # single $", " plus another # $"};
constexpr std::string_view minus_forms[] = {" minus # $",           " less # $",
                                            " but # $ are missing", " but # $ are lost",
                                            " without # spoilt $",  " minus # bad $"};

constexpr std::string_view thing_endings[] = {
    "Find the total number of $.",    "How many $ are there in all?", "How many $ are there in total?",
    "What is the total number of $?", "Give the total number of $.",  "How many $ is that in all?"};
constexpr std::string_view stuff_endings[] = {
    "Find the total in $.",    "How many $ are there in all?", "How many $ are there in total?",
    "What is the total in $?", "Give the total in $.",         "How many $ is that in all?"};

std::string fill(std::string_view form, std::span<const int64_t> numbers, std::string_view holder,
                 std::string_view unit) {
  std::string text;
  size_t next = 0;
  for (const char c : form) {
    if (c == '#') {
      text += std::to_string(numbers[next++]);
    } else if (c == '@') {
      text += holder;
    } else if (c == '$') {
      text += unit;
    } else {
      text += c;
    }
  }
  return text;
}

std::string with_first_letter(std::string text, int (*change)(int)) {
  text[0] = static_cast<char>(change(static_cast<unsigned char>(text[0])));
  return text;
}

// "Eva" and "a teacher" within a sentence.
std::string within_sentence(std::string_view person) {
  const std::string text(person);
  return text.find(' ') == std::string::npos ? text : with_first_letter(text, std::tolower);
}

struct Scene {
  Verb verb;
  Place place;
  Goods goods;
  bool countable = true;
};

Scene draw_scene(data::RandomStream& random) {
  Scene scene;
  const bool trade = random.below(2) == 0;
  scene.verb = trade ? random.pick(trade_verbs) : random.pick(handling_verbs);
  scene.place = trade ? random.pick(trade_places) : random.pick(handling_places);
  scene.countable = random.below(4) != 0;
  if (scene.countable) {
    const std::string_view thing = random.pick(things);
    scene.goods = {.name = thing, .unit = thing};
  } else {
    scene.goods = random.pick(stuffs);
  }
  return scene;
}

std::string opening(const Scene& scene, size_t n_parts, data::RandomStream& random) {
  const std::string places = std::string(scene.place.where) + " " + std::to_string(n_parts) + " " +
                             std::string(n_parts == 1 ? scene.place.one : scene.place.many);
  const std::string goods(scene.goods.name);
  const std::string_view person = random.pick(people);
  const std::string does = " " + std::string(scene.verb.one) + " " + goods;
  switch (random.below(8)) {
    case 0:
      return with_first_letter(places, std::toupper) + " " + within_sentence(person) + does + ".";
    case 1:
      return std::string("There ") + (scene.countable ? "are " : "is ") + goods + " " + places + ".";
    case 2:
    case 3: {
      std::string_view other = person;
      while (other == person) other = random.pick(people);
      return std::string(person) + " and " + within_sentence(other) + " " + std::string(scene.verb.many) +
             " " + goods + " " + places + ".";
    }
    default:
      return std::string(person) + does + " " + places + ".";
  }
}

std::string_view draw_holder(const Goods& goods, data::RandomStream& random) {
  if (goods.unit == "litres") return random.pick(liquid_holders);
  if (goods.unit == "metres") return random.pick(length_holders);
  return goods.unit == goods.name ? random.pick(thing_holders) : random.pick(weight_holders);
}

std::string part_text(const Part& part, const Goods& goods, data::RandomStream& random) {
  const std::string_view holder = draw_holder(goods, random);
  const int64_t product[] = {part.first, part.second};
  std::string text = fill(random.pick(product_forms), product, holder, goods.unit);
  if (part.third == 0) return text + ".";
  const std::string_view form = part.third > 0 ? random.pick(plus_forms) : random.pick(minus_forms);
  // A comma inside the product closes before what is added.
  if (text.find(',') != std::string::npos) text += ',';
  const int64_t third[] = {part.third > 0 ? part.third : -part.third};
  return text + fill(form, third, holder, goods.unit) + ".";
}

}  // namespace

std::string word_question(std::span<const Part> parts, data::RandomStream& random) {
  const Scene scene = draw_scene(random);
  std::vector<size_t> order(parts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  random.shuffle(std::span(order));

  std::string text = opening(scene, parts.size(), random);
  for (const size_t part : order) {
    text += " " + with_first_letter(std::string(scene.place.one), std::toupper) + " " +
            std::to_string(part + 1) + ": " + part_text(parts[part], scene.goods, random);
  }
  const std::string_view ending = scene.countable ? random.pick(thing_endings) : random.pick(stuff_endings);
  return text + " " + fill(ending, {}, {}, scene.goods.unit);
}

}  // namespace lanerope::toy
