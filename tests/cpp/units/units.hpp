// What the units of one program, compiled in different ways, hand to each other.
#ifndef UNITS_HPP
#define UNITS_HPP

#include <apivideo.hpp>

#include <array>

// How large the classes are where this is compiled: every unit must think the same.
static inline std::array<std::size_t, 15> sizes() {
  return {sizeof(apivideo::failure),       sizeof(apivideo::result<apivideo::token>),
          sizeof(apivideo::token),         sizeof(apivideo::token_page),
          sizeof(apivideo::token_range),   sizeof(apivideo::client),
          sizeof(apivideo::cancel_source), sizeof(apivideo::response),
          sizeof(apivideo::config),        sizeof(apivideo::request_options),
          sizeof(apivideo::list_params),   sizeof(apivideo::problem),
          sizeof(apivideo::upload_params), sizeof(apivideo::upload_session),
          sizeof(apivideo::uploaded_video)};
}

// units/main.cpp: C++17.
void remove_with(const apivideo::client &client, const apivideo::token_view &token,
                 const apivideo::request_options &options);

// units/newer.cpp: C++20.
std::array<std::size_t, 15> sizes_of_newer();
void remove_when_stopped(const apivideo::client &client, const apivideo::token_view &token);

// units/without.cpp: without exceptions and RTTI.
std::array<std::size_t, 15> sizes_of_without();
apivideo::result<apivideo::token> get_without(const apivideo::client &client, const char *id);

#endif
