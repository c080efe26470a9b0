// One client serves many threads, each of which gets its own answers and its own exceptions.
#include "support/scene.hpp"

using std::chrono::seconds;

static void work(const apivideo::client &client, int number, std::atomic<int> &right) {
  for (int round = 0; round < 5; round++) {
    const seconds ttl(1000 + number * 100 + round);
    const apivideo::token made = client.create(ttl);
    right += client.get(made).ttl() == ttl;
    right += client.list({}).size() > 0;
    client.remove(made);
    right += throws<apivideo::not_found>([&] { client.get(made); });
    apivideo::token_range range = client.tokens();
    while (range.try_next()) {
    }
    right += !range.error();
  }
}

int main() {
  stand_in service;
  const apivideo::client client(config_for(service.url()));
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; i++) threads.emplace_back([&, i] { work(client, i, right); });
  for (auto &thread : threads) thread.join();
  CHECK(right == 6 * 5 * 4);
  CHECK(client.list().empty());
  return checks_report();
}
