package dev.xip.measure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.measure.Race.Rounds;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** A race takes medians of rounds by turns, here by a clock that only the workloads move. */
class RaceTest {
  private final StringBuilder order = new StringBuilder();
  private long now;

  private Contender contender(Race race, String name, double units, long nanos) {
    return race.add(name, units, () -> spend(name, nanos));
  }

  private long spend(String name, long nanos) {
    order.append(name);
    now += nanos;
    return now;
  }

  private Race race(Rounds rounds) {
    return new Race(rounds, () -> now);
  }

  @Test
  void contendersTakeTurnsAndShortWorkloadsAreRepeated() throws IOException {
    Race race = race(new Rounds(1, 300, 3, 3, 0));
    Contender first = contender(race, "a", 1, 100);
    Contender second = contender(race, "b", 2, 300);
    race.run();
    assertThat(order.toString()).isEqualTo("ab" + "aaab".repeat(3));
    assertThat(first.median()).isEqualTo(100);
    assertThat(second.median()).isEqualTo(150);
  }

  @Test
  void eachContenderIsWarmedUpForTheSameTime() throws IOException {
    Race race = race(new Rounds(400, 0, 1, 1, 0));
    contender(race, "a", 1, 100);
    contender(race, "b", 1, 200);
    race.run();
    assertThat(order.toString()).isEqualTo("ababaa" + "ab");
  }

  @Test
  void aRaceEndsWhenItsTimeIsUp() throws IOException {
    Race race = race(new Rounds(1, 0, 2, 50, 350));
    contender(race, "a", 1, 100);
    race.run();
    assertThat(order).hasSize(1 + 4);
  }

  @Test
  void aRaceHasItsFewestRoundsHoweverLongTheyTake() throws IOException {
    Race race = race(new Rounds(1, 0, 2, 50, 0));
    contender(race, "a", 1, 100);
    race.run();
    assertThat(order).hasSize(1 + 2);
  }

  @Test
  void preparationIsNotTimed() throws IOException {
    Race race = race(new Rounds(1, 0, 3, 3, 0));
    Contender contender = race.add("a", 1, () -> spend("p", 1_000), () -> spend("a", 100));
    race.run();
    assertThat(order.toString()).isEqualTo("pa".repeat(4));
    assertThat(contender.median()).isEqualTo(100);
  }
}
