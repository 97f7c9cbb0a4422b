package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

/** The rules as a value, and the eras that have them. */
class RulesTest {
  @Test
  void aRuleIsAddedAndTakenAwayAlone() {
    Rules fewer = Rules.DEFAULT.without(Rule.HUGE_LEAVES);
    for (Rule rule : Rule.values()) {
      assertThat(fewer.has(rule)).isEqualTo(rule != Rule.HUGE_LEAVES && Rules.DEFAULT.has(rule));
    }
    assertThat(fewer.with(Rule.HUGE_LEAVES).has(Rule.HUGE_LEAVES)).isTrue();
    assertThat(fewer.faultAroundPages()).isEqualTo(Rules.DEFAULT.faultAroundPages());
  }

  @Test
  void anEraIsFoundByItsName() {
    for (Era era : Era.values()) {
      assertThat(Era.named(era.toString())).isSameAs(era);
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Era.named("2.6.25"))
        .withMessage("era 2.6.25: expected one of 2.6.24, 2.6.26, 2.6.32, 3.19, 4.5, 6.19, xip");
  }

  @Test
  void releasesAreOrderedByEachNumber() {
    assertThat(Release.of("2.6.26")).isLessThan(Release.of("2.6.100"));
    assertThat(Release.of("2.6.39")).isLessThan(Release.of("3.0"));
    assertThat(Release.of("3.19")).isLessThan(Release.of("4.0")).hasToString("3.19");
    assertThat(Release.of("2.6.26")).hasToString("2.6.26");
  }
}
