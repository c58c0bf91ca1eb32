/** Tabs as the ARIA practices have them: one is in the order of keys, arrows go to the others, and its panel alone is there. */

/** `onChange` is called once another panel is there. */
export function joinTabs(list, onChange) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  const panelOf = (tab) => document.getElementById(tab.getAttribute('aria-controls'));
  const isOn = (tab) => tab.ariaSelected === 'true';
  const select = (chosen) => {
    if (isOn(chosen)) return;
    for (const tab of tabs) {
      tab.ariaSelected = String(tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      panelOf(tab).hidden = tab !== chosen;
    }
    chosen.focus();
    onChange();
  };
  const step = { ArrowRight: 1, ArrowLeft: -1 };
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener('click', () => select(tab));
    tab.addEventListener('keydown', ({ key }) => {
      if (step[key]) select(tabs.at((index + step[key]) % tabs.length));
    });
  }
}
