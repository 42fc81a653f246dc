/**
 * A kernel of my own: Kevlar's design, with a policy of mine for assembling huge pages.
 *
 * Reading the file again for a page that the cache has is a waste, so assembly copies out of the cache wherever it can.
 */
import { defineKernel, Rules, type PageFill } from 'faultline';

class WarmAssembly extends Rules {
  /** From a VMA that begins with the page take the page as it is; from one that begins in mid-page, its part of it. */
  override assemblySource(fill: PageFill): 'cachedPage' | 'cachedRange' {
    return fill.start === 0 ? 'cachedPage' : 'cachedRange';
  }

  /** A null pointer must not meet a huge page. */
  override mayAssembleRegionZero(): boolean {
    return false;
  }
}

export const kernel = defineKernel({
  name: 'warm',
  says: 'assembles out of the page cache, and not at address 0',
  rules: WarmAssembly,
  parameters: { assembleThreshold: 8 },
});
